// ANCHOR: all
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use futures::future::join_all;
use moka::future::Cache;
use tokio::time::sleep;

static QUOTES: AtomicU32 = AtomicU32::new(0);

async fn quote(weight: u32) -> u32 {
    QUOTES.fetch_add(1, Relaxed);
    sleep(Duration::from_millis(50)).await;
    500 + 90 * weight
}

// ANCHOR: broken
// Broken: between the look and the insert there is an await.
async fn look_first(cache: &Cache<u32, u32>, weight: u32) -> u32 {
    if let Some(price) = cache.get(&weight).await {
        return price;
    }
    let price = quote(weight).await;
    cache.insert(weight, price).await;
    price
}
// ANCHOR_END: broken

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let cache = Cache::new(100);
    let answers = join_all((0..20).map(|_| look_first(&cache, 5))).await;
    assert_eq!(answers, [950; 20]);
    println!("get, then insert: {QUOTES:?} quotes");
    assert_eq!(QUOTES.swap(0, Relaxed), 20);

    // ANCHOR: fixed
    // Fixed: one call does both.
    let cache = Cache::new(100);
    let askers = (0..20).map(|_| cache.get_with(5, quote(5)));
    assert_eq!(join_all(askers).await, [950; 20]);
    println!("get_with: {QUOTES:?} quote");
    assert_eq!(QUOTES.load(Relaxed), 1);
    // ANCHOR_END: fixed
}
// ANCHOR_END: all
