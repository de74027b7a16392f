// ANCHOR: all
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{RwLock, watch};
use tokio::time::{Instant, sleep};

const MINUTE: Duration = Duration::from_secs(60);

/// The next edition of the catalogue.
async fn print() -> u32 {
    sleep(10 * MINUTE).await;
    2
}

// ANCHOR: locked
/// Who wants to look waits for the printer.
async fn locked(catalogue: Arc<RwLock<u32>>) {
    let mut edition = catalogue.write().await;
    *edition = print().await;
}
// ANCHOR_END: locked

// ANCHOR: watched
/// The old one lies there until the new one is there.
async fn watched(catalogue: watch::Sender<u32>) {
    let edition = print().await;
    catalogue.send_replace(edition);
}
// ANCHOR_END: watched

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: waits
    let start = Instant::now();
    let catalogue = Arc::new(RwLock::new(1));
    let printing = tokio::spawn(locked(Arc::clone(&catalogue)));
    sleep(4 * MINUTE).await;
    let edition = *catalogue.read().await;
    println!("RwLock: edition {edition} after {:?}", start.elapsed());
    assert_eq!((edition, start.elapsed()), (2, 10 * MINUTE));
    printing.await?;
    // ANCHOR_END: waits

    // ANCHOR: looks
    let start = Instant::now();
    let (catalogue, desk) = watch::channel(1);
    let printing = tokio::spawn(watched(catalogue));
    sleep(4 * MINUTE).await;
    let edition = *desk.borrow();
    println!("watch: edition {edition} after {:?}", start.elapsed());
    assert_eq!((edition, start.elapsed()), (1, 4 * MINUTE));
    printing.await?;
    assert_eq!(*desk.borrow(), 2);
    // ANCHOR_END: looks
    Ok(())
}
// ANCHOR_END: all
