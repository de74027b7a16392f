// ANCHOR: all
use std::time::Duration;

use tokio::time::{Instant, sleep};

const MINUTE: Duration = Duration::from_secs(60);

async fn kiss() -> &'static str {
    sleep(10 * MINUTE).await;
    "a kiss"
}

// ANCHOR: broken
/// Broken: a call of an async function makes a future, and that is all.
fn timed_call<T>(scene: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    (scene(), start.elapsed())
}
// ANCHOR_END: broken

// ANCHOR: fixed
/// Fixed: an `AsyncFnOnce` is awaited in here, so it cannot be forgotten.
async fn timed<T>(scene: impl AsyncFnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    (scene().await, start.elapsed())
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let (scene, time) = timed_call(kiss);
    println!("the call: {} min for {}", time.as_secs() / 60, scene.await);
    assert_eq!(time, Duration::ZERO);

    let (scene, time) = timed(kiss).await;
    println!("the scene: {} min for {scene}", time.as_secs() / 60);
    assert_eq!(time, 10 * MINUTE);
}
// ANCHOR_END: all
