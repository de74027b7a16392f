// ANCHOR: all
use std::time::Duration;

use futures::StreamExt;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};
use tokio_util::time::DelayQueue;

const MINUTE: Duration = Duration::from_secs(60);

type Jobs = mpsc::Receiver<Duration>;

/// Ends at once: the queue is empty at first.
async fn ends(mut jobs_rx: Jobs) -> u32 {
    let (mut queue, mut received) = (DelayQueue::new(), 0);
    loop {
        tokio::select! {
            biased;
            // ANCHOR: broken
            expired = queue.next() => match expired {
                Some(_) => received += 1,
                None => return received,
            },
            // ANCHOR_END: broken
            Some(after) = jobs_rx.recv() => {
                queue.insert((), after);
            }
        }
    }
}

/// Turns without a pause: an empty queue is ready each time. Given up after ten
/// thousand turns.
async fn spins(mut jobs_rx: Jobs) -> u32 {
    let (mut queue, mut received) = (DelayQueue::new(), 0);
    for _ in 0..10_000 {
        tokio::select! {
            expired = queue.next() => received += u32::from(expired.is_some()),
            Some(after) = jobs_rx.recv() => {
                queue.insert((), after);
            }
        }
    }
    received
}

async fn waits(mut jobs_rx: Jobs) -> u32 {
    let (mut queue, mut received) = (DelayQueue::new(), 0);
    loop {
        tokio::select! {
            // ANCHOR: fixed
            Some(_) = queue.next() => received += 1,
            Some(after) = jobs_rx.recv() => {
                queue.insert((), after);
            }
            else => return received,
            // ANCHOR_END: fixed
        }
    }
}

/// A job that is due in half an hour comes after a minute. How many jobs were received,
/// and when did the loop end?
async fn run(receive: impl AsyncFn(Jobs) -> u32) -> (u32, Duration) {
    let (start, (jobs_tx, jobs_rx)) = (Instant::now(), mpsc::channel(1));
    let received = async { (receive(jobs_rx).await, start.elapsed()) };
    let sender = async move {
        sleep(MINUTE).await;
        _ = jobs_tx.send(30 * MINUTE).await;
    };
    tokio::join!(received, sender).0
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let broken = [run(ends).await, run(spins).await];
    println!("ends, or spins: {broken:?}");
    assert_eq!(broken, [(0, Duration::ZERO); 2]);

    let fixed = run(waits).await;
    println!("waits: {fixed:?}");
    assert_eq!(fixed, (1, 31 * MINUTE));
}
// ANCHOR_END: all
