// ANCHOR: all
use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// A request.
async fn track(id: u32) -> u32 {
    sleep(Duration::from_secs(2)).await;
    id
}

// ANCHOR: broken
fn timed_call<T>(function: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    (function(), start.elapsed())
}
// ANCHOR_END: broken

/// Fixed, as in the recipe.
async fn timed<F: Future>(future: F) -> (F::Output, Duration) {
    let start = Instant::now();
    (future.await, start.elapsed())
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let (status, time) = timed_call(|| track(7));
    println!("the call: {time:?}, parcel {}", status.await);
    assert_eq!(time, Duration::ZERO);

    let (id, time) = timed(track(7)).await;
    println!("the future: {time:?}, parcel {id}");
    assert_eq!(time, Duration::from_secs(2));
}
// ANCHOR_END: all
