// ANCHOR: all
use std::time::{Duration, SystemTime};

use tokio::time::sleep;

const HOUR: Duration = Duration::from_secs(60 * 60);

// ANCHOR: broken
/// Broken: asks the operating system, which knows of no paused clock.
struct Position {
    taken: std::time::Instant,
}

impl Position {
    fn is_old(&self) -> bool {
        self.taken.elapsed() >= HOUR
    }
}

#[tokio::test(start_paused = true)]
async fn broken_a_position_of_yesterday_is_new() {
    let today = SystemTime::now();
    let position = Position { taken: std::time::Instant::now() };
    sleep(24 * HOUR).await;
    assert!(!position.is_old());
    let passed = today.elapsed().expect("nobody has set it back");
    assert!(passed < HOUR, "nor does the date change");
}
// ANCHOR_END: broken

// ANCHOR: fixed
/// Fixed: the same by tokio's `Instant`.
struct Track {
    taken: tokio::time::Instant,
}

impl Track {
    fn is_old(&self) -> bool {
        self.taken.elapsed() >= HOUR
    }
}

#[tokio::test(start_paused = true)]
async fn fixed_a_track_is_old_after_an_hour() {
    let track = Track { taken: tokio::time::Instant::now() };
    sleep(HOUR - Duration::from_millis(1)).await;
    assert!(!track.is_old());
    sleep(Duration::from_millis(1)).await;
    assert!(track.is_old());
}
// ANCHOR_END: fixed
// ANCHOR_END: all
