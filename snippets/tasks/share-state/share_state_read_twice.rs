// ANCHOR: all
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, RwLock as StdRwLock};
use std::thread;
use std::time::Duration;

use tokio::sync::RwLock;
use tokio::time::{sleep, timeout};

const DAY: Duration = Duration::from_secs(86_400);

struct Prices(RwLock<Vec<u32>>);

impl Prices {
    /// The price, converted by a rate that takes two seconds.
    async fn price(&self, index: usize) -> u32 {
        sleep(Duration::from_secs(2)).await;
        self.0.read().await[index]
    }

    async fn broken(&self) -> u32 {
        let mut total = 0;
        // ANCHOR: broken
        let prices = self.0.read().await;
        for index in 0..prices.len() {
            total += self.price(index).await; // it reads, too
        }
        // ANCHOR_END: broken
        total
    }

    async fn fixed(&self) -> u32 {
        let mut total = 0;
        // ANCHOR: fixed
        let len = self.0.read().await.len();
        for index in 0..len {
            total += self.price(index).await;
        }
        // ANCHOR_END: fixed
        total
    }

    async fn correct(&self) {
        sleep(Duration::from_secs(1)).await;
        self.0.write().await[2] = 60;
    }
}

/// A thread that reads twice, with a writer in between. The two threads wait
/// for each other until the program ends.
fn std_reads_twice() -> Result<u32, RecvTimeoutError> {
    let (total_tx, total_rx) = channel();
    thread::spawn(move || {
        let price = Arc::new(StdRwLock::new(50));
        let writer = Arc::clone(&price);
        let first = price.read();
        thread::spawn(move || *writer.write().expect("not poisoned") = 60);
        while price.try_read().is_ok() {
            thread::yield_now(); // until the writer waits
        }
        let second = price.read();
        let sum = *first.expect("nor now") + *second.expect("nor now");
        total_tx.send(sum)
    });
    total_rx.recv_timeout(Duration::from_millis(200))
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let prices = Prices(RwLock::new(vec![50, 50, 50]));
    let total = timeout(DAY, prices.broken()).await;
    println!("without a writer: {total:?}");
    assert_eq!(total, Ok(150));

    let both = async { tokio::join!(prices.broken(), prices.correct()) };
    let total = timeout(DAY, both).await;
    println!("with a writer: {total:?}");
    assert!(total.is_err());

    let both = async { tokio::join!(prices.fixed(), prices.correct()) };
    let total = timeout(DAY, both).await;
    println!("no guard is held: {total:?}");
    assert_eq!(total, Ok((160, ())));

    let total = std_reads_twice();
    println!("std's lock: {total:?}");
    assert_eq!(total, Err(RecvTimeoutError::Timeout));
}
// ANCHOR_END: all
