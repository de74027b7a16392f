// ANCHOR: all
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use futures::future::join_all;
use moka::future::Cache;
use tokio::time::sleep;

static REQUESTS: AtomicUsize = AtomicUsize::new(0);

async fn quote(weight: u32) -> u32 {
    REQUESTS.fetch_add(1, Relaxed);
    sleep(Duration::from_millis(50)).await;
    500 + 90 * weight
}

// ANCHOR: broken
async fn price(quotes: &Cache<u32, u32>, weight: u32) -> u32 {
    if let Some(price) = quotes.get(&weight).await {
        return price;
    }
    let price = quote(weight).await;
    quotes.insert(weight, price).await;
    price
}
// ANCHOR_END: broken

// ANCHOR: fixed
async fn price_once(quotes: &Cache<u32, u32>, weight: u32) -> u32 {
    quotes.get_with(weight, quote(weight)).await
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let quotes = Cache::new(100);
    let prices = join_all((0..20).map(|_| price(&quotes, 5))).await;
    assert_eq!(prices, [950; 20]);
    println!("get, then insert: {REQUESTS:?} requests");
    assert_eq!(REQUESTS.swap(0, Relaxed), 20);

    let quotes = Cache::new(100);
    let prices = join_all((0..20).map(|_| price_once(&quotes, 5))).await;
    assert_eq!(prices, [950; 20]);
    println!("get_with: {REQUESTS:?} request");
    assert_eq!(REQUESTS.load(Relaxed), 1);
}
// ANCHOR_END: all
