// ANCHOR: all
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, RwLock as StdRwLock};
use std::thread;
use std::time::Duration;

use tokio::sync::RwLock;
use tokio::time::{sleep, timeout};

const DAY: Duration = Duration::from_secs(86_400);

struct Catalogue(RwLock<Vec<u32>>);

impl Catalogue {
    /// The estimate for a lot, in the buyer's money.
    async fn estimate(&self, lot: usize) -> u32 {
        sleep(Duration::from_secs(2)).await; // the rate
        self.0.read().await[lot]
    }

    // ANCHOR: broken
    // Broken: it reads, and calls what reads.
    async fn total(&self) -> u32 {
        let lots = self.0.read().await;
        let mut total = 0;
        for lot in 0..lots.len() {
            total += self.estimate(lot).await;
        }
        total
    }
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: the guard is gone before the call.
    async fn total_of_each(&self) -> u32 {
        let lots = self.0.read().await.len();
        let mut total = 0;
        for lot in 0..lots {
            total += self.estimate(lot).await;
        }
        total
    }
    // ANCHOR_END: fixed

    async fn correct(&self) {
        sleep(Duration::from_secs(1)).await;
        self.0.write().await[2] = 60;
    }
}

/// std's, between threads. They wait for each other until the program ends.
fn std_reads_twice() -> Result<u32, RecvTimeoutError> {
    let (sender, total) = channel();
    thread::spawn(move || {
        let lots = Arc::new(StdRwLock::new(50));
        let writer = Arc::clone(&lots);
        let first = lots.read();
        thread::spawn(move || *writer.write().expect("not poisoned") = 60);
        while lots.try_read().is_ok() {
            thread::yield_now(); // until the writer waits
        }
        let second = lots.read();
        let sum = *first.expect("nor now") + *second.expect("nor now");
        sender.send(sum)
    });
    total.recv_timeout(Duration::from_millis(200))
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let catalogue = Catalogue(RwLock::new(vec![50, 50, 50]));
    let total = timeout(DAY, catalogue.total()).await;
    println!("nobody writes: {total:?}");
    assert_eq!(total, Ok(150));

    let both = async { tokio::join!(catalogue.total(), catalogue.correct()) };
    let total = timeout(DAY, both).await;
    println!("somebody writes: {total:?}");
    assert!(total.is_err());

    let both =
        async { tokio::join!(catalogue.total_of_each(), catalogue.correct()) };
    let total = timeout(DAY, both).await;
    println!("no guard around it: {total:?}");
    assert_eq!(total, Ok((160, ())));

    let total = std_reads_twice();
    println!("std's: {total:?}");
    assert_eq!(total, Err(RecvTimeoutError::Timeout));
}
// ANCHOR_END: all
