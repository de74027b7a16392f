// ANCHOR: all
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

async fn read_scale() {
    sleep(10 * MINUTE).await;
}

/// The minutes since the start.
fn minutes(start: Instant) -> u64 {
    start.elapsed().as_secs() / 60
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let (start, mut begun) = (Instant::now(), Vec::new());
    // ANCHOR: broken
    for _ in 0..5 {
        begun.push(minutes(start));
        read_scale().await;
        sleep(HOUR).await;
    }
    // ANCHOR_END: broken
    println!("sleep: {begun:?}");
    assert_eq!(begun, [0, 70, 140, 210, 280]);

    let (start, mut begun) = (Instant::now(), Vec::new());
    // ANCHOR: fixed
    let mut hourly = interval(HOUR);
    hourly.set_missed_tick_behavior(MissedTickBehavior::Skip);
    for _ in 0..5 {
        hourly.tick().await;
        begun.push(minutes(start));
        read_scale().await;
    }
    // ANCHOR_END: fixed
    println!("interval: {begun:?}");
    assert_eq!(begun, [0, 60, 120, 180, 240]);
}
// ANCHOR_END: all
