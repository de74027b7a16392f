// ANCHOR: all
use std::future::Future;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::{Instant, error::Elapsed, sleep, timeout};

const LIMIT: Duration = Duration::from_millis(5);

/// The next picture comes in five milliseconds: until then, or not at all.
async fn decoded(picture: impl Future<Output = u8>) -> Result<u8, Elapsed> {
    timeout(LIMIT, picture).await
}

/// Computes for four times as long as there is time.
fn decode() -> u8 {
    let start = std::time::Instant::now();
    while start.elapsed() < 4 * LIMIT {
        std::hint::spin_loop();
    }
    200
}

// ANCHOR: broken
// Broken: as long as a blocking task runs, the clock stands still.
#[tokio::test(start_paused = true)]
async fn broken_twenty_milliseconds_are_within_five() {
    let start = Instant::now();
    let picture = async { spawn_blocking(decode).await.expect("no panic") };
    assert_eq!(decoded(picture).await, Ok(200));
    assert_eq!(start.elapsed(), Duration::ZERO);
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: the test's decoder takes its time on the clock that is tested.
#[tokio::test(start_paused = true)]
async fn fixed_what_is_late_is_late() {
    let start = Instant::now();
    let decoder = |time| async move {
        sleep(time).await;
        200
    };
    assert!(decoded(decoder(4 * LIMIT)).await.is_err());
    assert_eq!(start.elapsed(), LIMIT);
    assert_eq!(decoded(decoder(LIMIT / 5)).await, Ok(200));
}
// ANCHOR_END: fixed
// ANCHOR_END: all
