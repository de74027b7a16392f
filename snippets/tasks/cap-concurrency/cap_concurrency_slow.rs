// ANCHOR: all
use std::time::Duration;

use futures::stream::{self, StreamExt};
use tokio::time::{Instant, sleep};

const MINUTE: Duration = Duration::from_secs(60);

/// Foam, then rinse.
async fn wash(car: u32) -> u32 {
    sleep(5 * MINUTE).await;
    sleep(5 * MINUTE).await;
    car
}

async fn dry(_car: u32) {
    sleep(10 * MINUTE).await;
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    // ANCHOR: broken
    // Broken: while one car is dried, nobody looks after the bays.
    let start = Instant::now();
    let mut washed = stream::iter(1..=6).map(wash).buffer_unordered(3);
    while let Some(car) = washed.next().await {
        dry(car).await;
    }
    let broken = start.elapsed();
    // ANCHOR_END: broken
    println!("dried in the loop: {} min", broken.as_secs() / 60);

    // ANCHOR: fixed
    // Fixed: drying belongs to the work that is buffered.
    let start = Instant::now();
    let finished =
        stream::iter(1..=6).map(async |car| dry(wash(car).await).await);
    finished.buffer_unordered(3).collect::<()>().await;
    let fixed = start.elapsed();
    // ANCHOR_END: fixed
    println!("dried in the bay: {} min", fixed.as_secs() / 60);
    assert_eq!(fixed, 40 * MINUTE);
    assert!(broken > fixed);
}
// ANCHOR_END: all
