// ANCHOR: all
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;

const MINUTE: Duration = Duration::from_secs(60);

// ANCHOR: wind
/// Takes ten minutes; the third time the chain is stuck, and it takes 150.
async fn wind(time: usize) {
    let minutes = if time == 3 { 150 } else { 10 };
    sleep(minutes * MINUTE).await;
}
// ANCHOR_END: wind

// ANCHOR: keep
/// Winds it every hour until told to stop. Returns in which minutes it began.
async fn keep_turning(stop: CancellationToken) -> Vec<u64> {
    let (start, mut begun) = (Instant::now(), Vec::new());
    // ANCHOR: due
    let mut hourly = interval(60 * MINUTE);
    hourly.set_missed_tick_behavior(MissedTickBehavior::Skip);
    // ANCHOR_END: due
    // ANCHOR: next
    while stop.run_until_cancelled(hourly.tick()).await.is_some() {
        // ANCHOR_END: next
        begun.push(start.elapsed().as_secs() / 60);
        // ANCHOR: job
        wind(begun.len()).await;
        // ANCHOR_END: job
    }
    begun
}
// ANCHOR_END: keep

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: night
    let start = Instant::now();
    let stop = CancellationToken::new();
    let keeper = tokio::spawn(keep_turning(stop.clone()));
    sleep(365 * MINUTE).await;
    // ANCHOR: stop
    stop.cancel();
    let begun = keeper.await?;
    // ANCHOR_END: stop
    let ended = start.elapsed().as_secs() / 60;
    println!("wound in minute {begun:?}, home in minute {ended}");
    assert_eq!(begun, [0, 60, 120, 270, 300, 360]);
    assert_eq!(ended, 370, "what is begun is finished");
    // ANCHOR_END: night

    // Who is told while he waits for the next hour goes home at once.
    let (start, stop) = (Instant::now(), CancellationToken::new());
    let tell = async {
        sleep(20 * MINUTE).await;
        stop.cancel();
    };
    let (begun, ()) = tokio::join!(keep_turning(stop.clone()), tell);
    assert_eq!((begun, start.elapsed()), (vec![0], 20 * MINUTE));
    Ok(())
}
// ANCHOR_END: all
