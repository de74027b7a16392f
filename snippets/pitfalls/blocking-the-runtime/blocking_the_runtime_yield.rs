// ANCHOR: all
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

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

/// How often the other task has run.
static RUNS: AtomicU32 = AtomicU32::new(0);

async fn other() {
    loop {
        RUNS.fetch_add(1, Relaxed);
        yield_now().await;
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let parcels: Vec<u64> = (0..100_000).collect();
    let other = tokio::spawn(other());

    let broken = broken_total(&parcels).await;
    println!("100000 awaits: the other task runs {RUNS:?} times");
    assert_eq!(RUNS.load(Relaxed), 0);
    let fixed = total(&parcels[..2_000]).await;
    println!("2 times yield_now: the other task runs {RUNS:?} times");
    assert_eq!(RUNS.load(Relaxed), 2);

    other.abort();
    assert!(other.await.is_err_and(|error| error.is_cancelled()));
    assert_eq!(fixed, broken_total(&parcels[..2_000]).await);
    assert_eq!(total(&parcels).await, broken);
    Ok(())
}
// ANCHOR_END: all
