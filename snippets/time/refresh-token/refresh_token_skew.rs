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

/// An hour with passes of one minute, which nobody uses in the last half.
/// How many are stamped, and how many seconds have none that is good?
async fn hour(ahead: Duration) -> (u32, u64) {
    let (start, mut stamped) = (Instant::now(), 0);
    let (mut over, mut without) = (start + 10 * SECOND, Duration::ZERO);
    while start.elapsed() < 3600 * SECOND {
        let next = Instant::now() + 60 * SECOND - 30 * SECOND;
        sleep(10 * SECOND).await; // at the office
        stamped += 1;
        without += over.elapsed(); // nothing, if it is not over yet
        over = next;
        sleep_until(over - ahead).await;
    }
    (stamped, without.as_secs())
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    // ANCHOR: broken
    // Broken: good to the last second.
    let (let_in, turned_away) = last_minute(Duration::ZERO).await;
    println!("to the last second: {turned_away} turned away");
    assert_eq!((let_in, turned_away), (35, 25));
    // Broken: the same margin for every pass.
    let (stamped, without) = hour(300 * SECOND).await;
    println!("five minutes ahead: {stamped} an hour, {without} s without");
    assert_eq!((stamped, without), (360, 0));
    // Broken: back too late, for the office takes ten.
    let (stamped, without) = hour(5 * SECOND).await;
    println!("five seconds ahead: {stamped} an hour, {without} s without");
    assert_eq!((stamped, without), (144, 715));
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: half a minute less, and half of what is left ahead.
    let (let_in, turned_away) = last_minute(30 * SECOND).await;
    println!("half a minute less: {turned_away} turned away");
    assert_eq!((let_in, turned_away), (30, 0));
    let (stamped, without) = hour(30 * SECOND / 2).await;
    println!("half of it ahead: {stamped} an hour, {without} s without");
    assert_eq!((stamped, without), (240, 0));
    // ANCHOR_END: fixed
}
// ANCHOR_END: all
