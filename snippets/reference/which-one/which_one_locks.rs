use std::time::Duration;

use tokio::join;
use tokio::sync::{RwLock, watch};
use tokio::time::{Instant, sleep};

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    // ANCHOR: reader
    let reading = Duration::from_secs(10);
    let start = Instant::now();
    let price = RwLock::new(30);
    let reader = async {
        let guard = price.read().await;
        sleep(reading).await;
        *guard
    };
    let writer = async {
        *price.write().await = 45;
        start.elapsed()
    };
    assert_eq!(join!(reader, writer), (30, reading), "the writer waits");

    let start = Instant::now();
    let (price_tx, price_rx) = watch::channel(30);
    let reader = async {
        let copy = *price_rx.borrow();
        sleep(reading).await;
        copy
    };
    let writer = async {
        price_tx.send_replace(45);
        start.elapsed()
    };
    assert_eq!(join!(reader, writer), (30, Duration::ZERO), "it does not");
    // ANCHOR_END: reader
    println!("RwLock, a guard: the writer waits 10 s");
    println!("watch, a copy: the writer does not wait");
}
