// ANCHOR: all
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use tokio::task::yield_now;

// ANCHOR: broken
async fn price(parcel: u64) -> u64 {
    parcel % 7 + 2 // it awaits nothing
}

async fn broken_total(parcels: &[u64]) -> u64 {
    let mut total = 0;
    for parcel in parcels {
        total += price(*parcel).await;
    }
    total
}
// ANCHOR_END: broken

// ANCHOR: fixed
async fn total(parcels: &[u64]) -> u64 {
    let mut total = 0;
    for part in parcels.chunks(1_000) {
        for parcel in part {
            total += price(*parcel).await;
        }
        yield_now().await;
    }
    total
}
// ANCHOR_END: fixed

static OTHER: AtomicBool = AtomicBool::new(false);

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let parcels: Vec<u64> = (0..100_000).collect();
    let other = tokio::spawn(async { OTHER.store(true, Relaxed) });

    let broken = broken_total(&parcels).await;
    println!("100000 awaits: the other task has run: {OTHER:?}");
    assert!(!OTHER.load(Relaxed));
    let fixed = total(&parcels[..2_000]).await;
    println!("yield_now, twice: the other task has run: {OTHER:?}");
    assert!(OTHER.load(Relaxed));

    other.await?;
    assert_eq!(fixed, broken_total(&parcels[..2_000]).await);
    assert_eq!(total(&parcels).await, broken);
    Ok(())
}
// ANCHOR_END: all
