// ANCHOR: all
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{RwLock, watch};
use tokio::time::{Instant, sleep};

const SECOND: Duration = Duration::from_secs(1);

type Prices = Arc<Vec<u32>>;

/// Takes ten seconds.
async fn load() -> Prices {
    sleep(10 * SECOND).await;
    Arc::new(vec![35, 50])
}

async fn broken(prices: Arc<RwLock<Prices>>) {
    // ANCHOR: broken
    let mut prices = prices.write().await;
    *prices = load().await;
    // ANCHOR_END: broken
}

async fn fixed(prices_tx: watch::Sender<Prices>) {
    // ANCHOR: fixed
    let prices = load().await;
    prices_tx.send_replace(prices);
    // ANCHOR_END: fixed
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let old = Arc::new(vec![30, 45]);
    let start = Instant::now();
    let shared = Arc::new(RwLock::new(Arc::clone(&old)));
    // ANCHOR: waits
    let loader = tokio::spawn(broken(Arc::clone(&shared)));
    sleep(4 * SECOND).await;
    let prices = Arc::clone(&*shared.read().await);
    // ANCHOR_END: waits
    println!("RwLock: {prices:?} after {:?}", start.elapsed());
    assert_eq!((prices[0], start.elapsed()), (35, 10 * SECOND));
    loader.await?;

    let start = Instant::now();
    let (prices_tx, prices_rx) = watch::channel(old);
    // ANCHOR: reads
    let loader = tokio::spawn(fixed(prices_tx));
    sleep(4 * SECOND).await;
    // ANCHOR: borrow
    let prices = prices_rx.borrow().clone();
    // ANCHOR_END: borrow
    // ANCHOR_END: reads
    println!("watch: {prices:?} after {:?}", start.elapsed());
    assert_eq!((prices[0], start.elapsed()), (30, 4 * SECOND));
    loader.await?;
    assert_eq!(prices_rx.borrow()[0], 35);
    Ok(())
}
// ANCHOR_END: all
