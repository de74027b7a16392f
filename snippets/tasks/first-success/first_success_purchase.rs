// ANCHOR: all
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use futures::FutureExt;
use futures::future::select_ok;
use tokio::time::sleep;

static SOLD: AtomicU32 = AtomicU32::new(0);

async fn seconds(seconds: u64) {
    sleep(Duration::from_secs(seconds)).await;
}

/// The label is sold after a second. The response takes a while.
async fn buy(carrier: u64) -> Result<u64, &'static str> {
    seconds(1).await;
    SOLD.fetch_add(1, Relaxed);
    seconds(carrier).await;
    Ok(carrier)
}

/// Asks for a price. That changes nothing.
async fn quote(carrier: u64) -> Result<u64, &'static str> {
    seconds(carrier).await;
    Ok(carrier)
}

async fn broken(carriers: [u64; 3]) -> Result<u64, &'static str> {
    // ANCHOR: broken
    let purchases = carriers.map(|carrier| buy(carrier).boxed());
    let (carrier, _) = select_ok(purchases).await?;
    // ANCHOR_END: broken
    Ok(carrier)
}

async fn fixed(carriers: [u64; 3]) -> Result<u64, &'static str> {
    // ANCHOR: fixed
    let quotes = carriers.map(|carrier| quote(carrier).boxed());
    let (carrier, _) = select_ok(quotes).await?;
    buy(carrier).await?;
    // ANCHOR_END: fixed
    Ok(carrier)
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let carriers = [9, 4, 7];
    assert_eq!(broken(carriers).await, Ok(4));
    println!("the first purchase: {SOLD:?} labels are sold");
    assert_eq!(SOLD.swap(0, Relaxed), 3);

    assert_eq!(fixed(carriers).await, Ok(4));
    println!("the first quote: {SOLD:?} label is sold");
    assert_eq!(SOLD.load(Relaxed), 1);
}
// ANCHOR_END: all
