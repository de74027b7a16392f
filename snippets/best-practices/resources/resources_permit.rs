// ANCHOR: all
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use anyhow::bail;
use futures::future::join_all;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

const MINUTE: Duration = Duration::from_secs(60);
static PRINTING: AtomicU32 = AtomicU32::new(0);
static PEAK: AtomicU32 = AtomicU32::new(0);

/// Prints for a minute, and fails.
async fn print() -> anyhow::Result<()> {
    PEAK.fetch_max(PRINTING.fetch_add(1, Relaxed) + 1, Relaxed);
    sleep(MINUTE).await;
    PRINTING.fetch_sub(1, Relaxed);
    bail!("no paper")
}

// ANCHOR: broken_count
async fn count(permits: &Semaphore) -> anyhow::Result<()> {
    permits.acquire().await?.forget();
    print().await?; // an error skips the next line
    permits.add_permits(1);
    Ok(())
}
// ANCHOR_END: broken_count

// ANCHOR: broken_underscore
async fn underscore(permits: &Semaphore) -> anyhow::Result<()> {
    let _ = permits.acquire().await?;
    print().await
}
// ANCHOR_END: broken_underscore

// ANCHOR: fixed
async fn hold(permits: &Semaphore) -> anyhow::Result<()> {
    let _permit = permits.acquire().await?;
    print().await
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let permits = Semaphore::new(2);
    let six = join_all([(); 6].map(|()| count(&permits)));
    assert!(timeout(10 * MINUTE, six).await.is_err(), "four wait");
    let free = permits.available_permits();
    println!("counted by hand: {free} of 2 permits are free");
    assert_eq!((free, PEAK.swap(0, Relaxed)), (0, 2));

    let permits = Semaphore::new(2);
    join_all([(); 6].map(|()| underscore(&permits))).await;
    println!("`let _`: {PEAK:?} print at the same time");
    assert_eq!((permits.available_permits(), PEAK.swap(0, Relaxed)), (2, 6));

    let permits = Semaphore::new(2);
    join_all([(); 6].map(|()| hold(&permits))).await;
    println!("`let _permit`: {PEAK:?} print at the same time");
    assert_eq!((permits.available_permits(), PEAK.swap(0, Relaxed)), (2, 2));
}
// ANCHOR_END: all
