// ANCHOR: all
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use anyhow::Context;
use moka::Expiry;
use moka::future::Cache;
use tokio::time::sleep;

static REQUESTS: AtomicUsize = AtomicUsize::new(0);

/// The carrier's price for a parcel, or `None` if it does not know the parcel.
async fn quote(parcel: u32) -> anyhow::Result<Option<u32>> {
    REQUESTS.fetch_add(1, Relaxed);
    Ok((parcel == 7).then_some(1250))
}

fn requests() -> usize {
    REQUESTS.swap(0, Relaxed)
}

// ANCHOR: fixed
/// How long a price is kept, and how long the answer that there is none.
struct Kept {
    known: Duration,
    unknown: Duration,
}

impl Expiry<u32, Option<u32>> for Kept {
    fn expire_after_create(
        &self,
        _parcel: &u32,
        price: &Option<u32>,
        _created_at: Instant,
    ) -> Option<Duration> {
        Some(if price.is_some() { self.known } else { self.unknown })
    }
}
// ANCHOR_END: fixed

// ANCHOR: fixed_call
fn quotes(kept: Kept) -> Cache<u32, Option<u32>> {
    Cache::builder().max_capacity(100).expire_after(kept).build()
}
// ANCHOR_END: fixed_call

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let quotes = Cache::new(100);
    for _ in 0..20 {
        let parcel = 8;
        // ANCHOR: broken
        let call = async { quote(parcel).await?.context("an unknown parcel") };
        let price = quotes.try_get_with(parcel, call).await;
        // ANCHOR_END: broken
        assert!(price.is_err());
    }
    println!("an error: {REQUESTS:?} requests");
    assert_eq!(requests(), 20);

    let known = Duration::from_secs(60);
    let kept = Kept { known, unknown: Duration::from_secs(5) };
    let quotes = self::quotes(kept);
    assert_eq!(quotes.policy().max_capacity(), Some(100));
    for _ in 0..20 {
        let price = quotes.try_get_with(8, quote(8)).await;
        assert!(matches!(price, Ok(None)));
    }
    println!("a value that says so: {REQUESTS:?} request");
    assert_eq!(requests(), 1);

    let kept = Kept { known, unknown: Duration::from_millis(20) };
    let quotes = self::quotes(kept);
    for (parcel, expected) in [(7, 1), (8, 2)] {
        for _ in 0..2 {
            let price = quotes.try_get_with(parcel, quote(parcel)).await;
            assert!(price.is_ok());
            sleep(Duration::from_millis(21)).await;
        }
        assert_eq!(requests(), expected);
    }
    Ok(())
}
// ANCHOR_END: all
