// ANCHOR: all
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

const HOUR: Duration = Duration::from_secs(3600);

type Track = Mutex<u32>;

/// Needs both sections, one after the other.
async fn cross(first: &Track, second: &Track) {
    let mut first = first.lock().await;
    sleep(HOUR).await;
    *second.lock().await += 1;
    *first += 1;
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let (north, south) = (Track::default(), Track::default());

    // ANCHOR: broken
    // Broken: each has what the other one waits for.
    let both =
        async { tokio::join!(cross(&north, &south), cross(&south, &north)) };
    let met = timeout(24 * HOUR, both).await;
    println!("each from its own end: {met:?}");
    assert!(met.is_err());
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: both take them in the same order, wherever they come from.
    let both =
        async { tokio::join!(cross(&north, &south), cross(&north, &south)) };
    let met = timeout(24 * HOUR, both).await;
    println!("north first: {met:?}");
    assert!(met.is_ok());
    assert_eq!(*south.lock().await, 2);
    // ANCHOR_END: fixed
}
// ANCHOR_END: all
