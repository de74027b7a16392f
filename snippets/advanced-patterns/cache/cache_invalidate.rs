// ANCHOR: all
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use moka::future::Cache;
use tokio::time::sleep;

static PRICE: AtomicU32 = AtomicU32::new(1250);
static VERSION: AtomicU64 = AtomicU64::new(0);
const MS: Duration = Duration::from_millis(1);

/// The price when the carrier gets the request; its answer takes 50 ms.
async fn quote(_parcel: u32) -> u32 {
    let price = PRICE.load(SeqCst);
    sleep(50 * MS).await;
    price
}

// ANCHOR: broken
async fn price(quotes: &Cache<u32, u32>, parcel: u32) -> u32 {
    quotes.get_with(parcel, quote(parcel)).await
}

fn prices_have_changed(quotes: &Cache<u32, u32>) {
    quotes.invalidate_all();
}
// ANCHOR_END: broken

// ANCHOR: fixed
async fn current_price(quotes: &Cache<(u32, u64), u32>, parcel: u32) -> u32 {
    let key = (parcel, VERSION.load(SeqCst));
    quotes.get_with(key, quote(parcel)).await
}

fn prices_have_a_new_version() {
    VERSION.fetch_add(1, SeqCst);
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let quotes = Cache::new(100);
    let change = async {
        sleep(10 * MS).await;
        PRICE.store(1300, SeqCst);
        prices_have_changed(&quotes);
    };
    tokio::join!(price(&quotes, 7), change);
    let kept = price(&quotes, 7).await;
    println!("invalidated during a request: {kept}, and it is 1300");
    assert_eq!(kept, 1250);

    let quotes = Cache::new(100);
    let change = async {
        sleep(10 * MS).await;
        PRICE.store(1350, SeqCst);
        prices_have_a_new_version();
    };
    tokio::join!(current_price(&quotes, 7), change);
    let kept = current_price(&quotes, 7).await;
    println!("a version in the key: {kept}, and it is 1350");
    assert_eq!(kept, 1350);
}
// ANCHOR_END: all
