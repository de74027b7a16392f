// ANCHOR: all
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::task::yield_now;
use tokio_util::task::TaskTracker;

static TRACKED: AtomicU32 = AtomicU32::new(0);

async fn track() {
    TRACKED.fetch_add(1, Relaxed);
}

/// How many tasks the runtime counts after one was joined.
async fn alive() -> usize {
    // ANCHOR: broken
    _ = tokio::spawn(track()).await;
    let tasks = Handle::current().metrics().num_alive_tasks();
    // ANCHOR_END: broken
    tasks
}

/// How many tasks a tracker counts.
async fn tracked() -> usize {
    let tracker = TaskTracker::new();
    // ANCHOR: fixed
    _ = tracker.spawn(track()).await;
    let tasks = tracker.len();
    // ANCHOR_END: fixed
    tasks
}

#[tokio::main(flavor = "multi_thread", worker_threads = 4)]
async fn main() {
    let start = Instant::now();
    let mut too_high = false;
    while !too_high {
        too_high = alive().await > 0;
        assert!(start.elapsed() < Duration::from_secs(30));
    }
    println!("num_alive_tasks: too high: {too_high}");
    while Handle::current().metrics().num_alive_tasks() > 0 {
        yield_now().await;
    }
    TRACKED.store(0, Relaxed);
    for _ in 0..20_000 {
        assert_eq!(tracked().await, 0);
    }
    assert_eq!(TRACKED.load(Relaxed), 20_000);
    println!("TaskTracker::len: right, 20,000 times of 20,000");
}
// ANCHOR_END: all
