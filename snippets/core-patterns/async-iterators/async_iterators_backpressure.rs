// ANCHOR: all
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinError;
use tokio::time::sleep;

static READS: AtomicU32 = AtomicU32::new(0);

/// Reads a parcel's number, in a second.
async fn read() -> u32 {
    sleep(Duration::from_secs(1)).await;
    READS.fetch_add(1, Relaxed) + 1
}

async fn unbounded() -> Result<(), JoinError> {
    READS.store(0, Relaxed);
    // ANCHOR: broken
    let (tx, mut rx) = mpsc::unbounded_channel();
    let producer = async move { while tx.send(read().await).is_ok() {} };
    // ANCHOR_END: broken
    let producer = tokio::spawn(producer);
    assert_eq!(rx.recv().await, Some(1));
    sleep(Duration::from_millis(59_500)).await;
    println!("unbounded: {READS:?} reads, {} items wait", rx.len());
    assert_eq!((READS.load(Relaxed), rx.len()), (60, 59));
    drop(rx);
    producer.await
}

// ANCHOR: channel
async fn bounded() -> Result<(), JoinError> {
    READS.store(0, Relaxed);
    // ANCHOR: fixed
    let (tx, mut rx) = mpsc::channel(2);
    let producer = async move { while tx.send(read().await).await.is_ok() {} };
    // ANCHOR_END: fixed
    let producer = tokio::spawn(producer);
    assert_eq!(rx.recv().await, Some(1));
    sleep(Duration::from_millis(9_500)).await;
    println!("bounded: {READS:?} reads, {} items wait", rx.len());
    assert_eq!((READS.load(Relaxed), rx.len()), (4, 2));
    drop(rx);
    producer.await
}
// ANCHOR_END: channel

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<(), JoinError> {
    unbounded().await?;
    bounded().await
}
// ANCHOR_END: all
