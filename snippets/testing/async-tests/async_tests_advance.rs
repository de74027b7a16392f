// ANCHOR: all
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use tokio::task::yield_now;
use tokio::time::{advance, sleep};

static SCANS: AtomicU32 = AtomicU32::new(0);

/// Scans each second.
async fn scan() {
    loop {
        sleep(Duration::from_secs(1)).await;
        SCANS.fetch_add(1, Relaxed);
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let scanner = tokio::spawn(scan());
    yield_now().await; // it waits for its first second

    // ANCHOR: broken
    advance(Duration::from_millis(3_500)).await;
    // ANCHOR_END: broken
    yield_now().await;
    println!("advance: {SCANS:?} scan");
    assert_eq!(SCANS.swap(0, Relaxed), 1);
    scanner.abort();

    let scanner = tokio::spawn(scan());
    // ANCHOR: fixed
    sleep(Duration::from_millis(3_500)).await;
    // ANCHOR_END: fixed
    println!("sleep: {SCANS:?} scans");
    assert_eq!(SCANS.swap(0, Relaxed), 3);
    scanner.abort();
}
// ANCHOR_END: all
