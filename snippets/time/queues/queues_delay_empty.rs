// ANCHOR: all
use std::time::Duration;

use futures::StreamExt;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};
use tokio_util::time::DelayQueue;

const MINUTE: Duration = Duration::from_secs(60);

type Orders = mpsc::Receiver<Duration>;

// ANCHOR: broken
/// Broken: an empty queue is taken for the end, and it is empty at first.
async fn ends(mut orders: Orders) -> u32 {
    let (mut due, mut looks) = (DelayQueue::new(), 0);
    loop {
        tokio::select! {
            biased;
            expired = due.next() => match expired {
                Some(_) => looks += 1,
                None => return looks,
            },
            Some(after) = orders.recv() => {
                due.insert((), after);
            }
        }
    }
}

/// Broken: an empty queue is ready at once, again and again. Given up after
/// ten thousand turns, in which nobody else has had one.
async fn spins(mut orders: Orders) -> u32 {
    let (mut due, mut looks) = (DelayQueue::new(), 0);
    for _turn in 0..10_000 {
        tokio::select! {
            expired = due.next() => looks += u32::from(expired.is_some()),
            Some(after) = orders.recv() => {
                due.insert((), after);
            }
        }
    }
    looks
}
// ANCHOR_END: broken

// ANCHOR: fixed
/// Fixed: what does not match is out of this turn.
async fn waits(mut orders: Orders) -> u32 {
    let (mut due, mut looks) = (DelayQueue::new(), 0);
    loop {
        tokio::select! {
            Some(_) = due.next() => looks += 1,
            Some(after) = orders.recv() => {
                due.insert((), after);
            }
            else => return looks,
        }
    }
}
// ANCHOR_END: fixed

/// How many were looked at, and when that was over: one order comes in the
/// second minute.
async fn day(rounds: impl AsyncFn(Orders) -> u32) -> (u32, Duration) {
    let (start, (orders, received)) = (Instant::now(), mpsc::channel(1));
    let rounds = async { (rounds(received).await, start.elapsed()) };
    let order = async move {
        sleep(MINUTE).await;
        _ = orders.send(30 * MINUTE).await;
    };
    tokio::join!(rounds, order).0
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let broken = [day(ends).await, day(spins).await];
    println!("it ends, or it spins: {broken:?}");
    assert_eq!(broken, [(0, Duration::ZERO); 2]);

    let fixed = day(waits).await;
    println!("it waits: {fixed:?}");
    assert_eq!(fixed, (1, 31 * MINUTE));
}
// ANCHOR_END: all
