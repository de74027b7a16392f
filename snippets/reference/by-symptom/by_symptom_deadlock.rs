// ANCHOR: all
use std::time::Duration;

use tokio::sync::{Mutex, RwLock, mpsc};
use tokio::time::timeout;

const DAY: Duration = Duration::from_secs(86_400);

type Stock = Mutex<Vec<&'static str>>;

// Broken: the guard lives as long as the `match` that it is for.
async fn takes_twice(stock: &Stock) -> usize {
    match stock.lock().await.pop() {
        Some(_) => stock.lock().await.len(),
        None => 0,
    }
}

// Fixed: it is gone at the end of the statement.
async fn takes_once(stock: &Stock) -> usize {
    let part = stock.lock().await.pop();
    match part {
        Some(_) => stock.lock().await.len(),
        None => 0,
    }
}

// Broken: a writer waits between the two reads, and the second read waits for
// the writer.
async fn reads_twice(prices: &RwLock<u32>) -> u32 {
    let bell = prices.read().await;
    tokio::task::yield_now().await; // the writer comes
    let lamp = prices.read().await;
    *bell + *lamp
}

// Fixed: one guard for both.
async fn reads_once(prices: &RwLock<u32>) -> u32 {
    let price = prices.read().await;
    tokio::task::yield_now().await;
    *price + *price
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let stock = Mutex::new(vec!["bell", "lamp", "tube"]);
    assert!(timeout(DAY, takes_twice(&stock)).await.is_err());
    assert_eq!(timeout(DAY, takes_once(&stock)).await, Ok(1));
    println!("a guard in a match: waits for itself");

    let prices = RwLock::new(7);
    let writes = async || *prices.write().await += 1;
    let both = async { tokio::join!(reads_twice(&prices), writes()) };
    assert!(timeout(DAY, both).await.is_err());
    let both = async { tokio::join!(reads_once(&prices), writes()) };
    assert_eq!(timeout(DAY, both).await, Ok((14, ())));
    println!("a second read behind a writer: waits for ever");

    // Broken: a task holds a sender of the channel that it reads to the end.
    let (door, mut bikes) = mpsc::channel::<&str>(8);
    assert!(timeout(DAY, bikes.recv()).await.is_err());
    // Fixed: it drops its own.
    drop(door);
    assert_eq!(timeout(DAY, bikes.recv()).await, Ok(None));
    println!("recv with a sender of its own: waits for ever");
}
// ANCHOR_END: all
