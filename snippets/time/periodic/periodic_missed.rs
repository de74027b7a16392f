// ANCHOR: all
use std::time::Duration;

use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// Reads the scale, which takes 10 minutes, and once 150.
async fn read_scale(count: usize) {
    let minutes = if count == 3 { 150 } else { 10 };
    sleep(minutes * MINUTE).await;
}

/// In which minutes it begins.
async fn begun(mut interval: Interval) -> Vec<u64> {
    let (start, mut begun) = (Instant::now(), Vec::new());
    while start.elapsed() < 6 * HOUR {
        interval.tick().await;
        begun.push(start.elapsed().as_secs() / 60);
        read_scale(begun.len()).await;
    }
    begun
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    // ANCHOR: burst
    // ANCHOR: broken
    let hourly = interval(HOUR);
    // ANCHOR_END: broken
    let minutes = begun(hourly).await;
    println!("Burst: {minutes:?}");
    assert_eq!(minutes, [0, 60, 120, 270, 280, 300, 360]);
    // ANCHOR_END: burst

    // ANCHOR: skip
    // ANCHOR: fixed
    let mut hourly = interval(HOUR);
    hourly.set_missed_tick_behavior(MissedTickBehavior::Skip);
    // ANCHOR_END: fixed
    let minutes = begun(hourly).await;
    println!("Skip: {minutes:?}");
    assert_eq!(minutes, [0, 60, 120, 270, 300, 360]);
    // ANCHOR_END: skip

    let mut hourly = interval(HOUR);
    hourly.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let minutes = begun(hourly).await;
    println!("Delay: {minutes:?}");
    assert_eq!(minutes, [0, 60, 120, 270, 330, 390]);
}
// ANCHOR_END: all
