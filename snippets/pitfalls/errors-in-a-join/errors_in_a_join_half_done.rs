// ANCHOR: all
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use tokio::time::sleep;

static SOLD: AtomicU32 = AtomicU32::new(0);

async fn refused() -> Result<u32, &'static str> {
    sleep(Duration::from_secs(2)).await;
    Err("402 Payment Required")
}

/// The label is sold after a second, and the response takes 2 s more.
async fn buy(key: u32) -> Result<u32, &'static str> {
    sleep(Duration::from_secs(1)).await;
    SOLD.fetch_add(1, SeqCst);
    sleep(Duration::from_secs(2)).await;
    Ok(key)
}

async fn void(label: u32) {
    assert_eq!(label, 7);
    sleep(Duration::from_secs(1)).await;
    SOLD.fetch_sub(1, SeqCst);
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    // ANCHOR: broken
    let labels = tokio::try_join!(refused(), buy(7));
    // ANCHOR_END: broken
    assert!(labels.is_err());
    println!("try_join!: {SOLD:?} label is sold");
    assert_eq!(SOLD.swap(0, SeqCst), 1);

    // ANCHOR: fixed
    let (first, second) = tokio::join!(refused(), buy(7));
    let labels = [first, second];
    if labels.iter().any(Result::is_err) {
        for label in labels.into_iter().flatten() {
            void(label).await;
        }
    }
    // ANCHOR_END: fixed
    println!("join!: {SOLD:?} labels are sold");
    assert_eq!(SOLD.load(SeqCst), 0);
}
// ANCHOR_END: all
