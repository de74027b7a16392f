// ANCHOR: all
use std::time::Duration;

use tokio::time::{Instant, interval, sleep};

const MINUTE: Duration = Duration::from_secs(60);

async fn wind() {
    sleep(10 * MINUTE).await;
}

// ANCHOR: broken
// Broken: an hour from the end of the last one.
async fn by_sleep(start: Instant) -> Vec<u64> {
    let mut begun = Vec::new();
    while start.elapsed() < 300 * MINUTE {
        begun.push(start.elapsed().as_secs() / 60);
        wind().await;
        sleep(60 * MINUTE).await;
    }
    begun
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: an hour from the time when the last one was due.
async fn by_interval(start: Instant) -> Vec<u64> {
    let (mut begun, mut hourly) = (Vec::new(), interval(60 * MINUTE));
    while start.elapsed() < 300 * MINUTE {
        hourly.tick().await;
        begun.push(start.elapsed().as_secs() / 60);
        wind().await;
    }
    begun
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let begun = by_sleep(Instant::now()).await;
    println!("sleep: {begun:?}");
    assert_eq!(begun, [0, 70, 140, 210, 280]);

    let begun = by_interval(Instant::now()).await;
    println!("interval: {begun:?}");
    assert_eq!(begun, [0, 60, 120, 180, 240, 300]);
}
// ANCHOR_END: all
