// ANCHOR: all
use std::time::Duration;

use futures::future::join_all;
use tokio::time::{Instant, sleep, sleep_until};

const SECOND: Duration = Duration::from_secs(1);

/// The road takes five seconds, and the gate's clock is 20 seconds fast.
async fn is_let_in(over: Instant) -> bool {
    sleep(5 * SECOND).await;
    over > Instant::now() + 20 * SECOND
}

/// In each second of a pass's last minute a van would set off. How many are
/// let in, and how many turned away?
async fn last_minute(spare: Duration) -> (usize, usize) {
    let over = Instant::now() + 60 * SECOND;
    let vans = (0..60).map(|second| async move {
        sleep(second * SECOND).await;
        let good = over > Instant::now() + spare;
        if good { Some(is_let_in(over).await) } else { None }
    });
    let ends = join_all(vans).await;
    let count = |end| ends.iter().filter(|e| **e == Some(end)).count();
    (count(true), count(false))
}

/// How often is a pass of one minute renewed in an hour?
async fn renewals(margin: Duration) -> u32 {
    let (start, mut count) = (Instant::now(), 0);
    while start.elapsed() < 3600 * SECOND {
        let over = Instant::now() + 60 * SECOND;
        sleep(10 * SECOND).await; // at the office
        count += 1;
        sleep_until(over - margin).await;
    }
    count
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    // ANCHOR: broken
    // Broken: good to the last second.
    let (let_in, turned_away) = last_minute(Duration::ZERO).await;
    println!("to the last second: {turned_away} turned away");
    assert_eq!((let_in, turned_away), (35, 25));
    // Broken: the same margin for every pass.
    let count = renewals(300 * SECOND).await;
    println!("five minutes ahead: {count} an hour");
    assert_eq!(count, 360);
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: half a minute less, and a twelfth ahead.
    let (let_in, turned_away) = last_minute(30 * SECOND).await;
    println!("half a minute less: {turned_away} turned away");
    assert_eq!((let_in, turned_away), (30, 0));
    let count = renewals(60 * SECOND / 12).await;
    println!("a twelfth ahead: {count} an hour");
    assert_eq!(count, 66);
    // ANCHOR_END: fixed
}
// ANCHOR_END: all
