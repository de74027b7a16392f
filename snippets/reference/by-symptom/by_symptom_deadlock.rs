// ANCHOR: all
use std::time::Duration;

use tokio::sync::{Mutex, RwLock, mpsc};
use tokio::time::timeout;

const DAY: Duration = Duration::from_secs(86_400);

type Parcels = Mutex<Vec<u32>>;

// Broken: the guard of `lock` lives until the end of the `match`.
async fn locks_twice(parcels: &Parcels) -> usize {
    match parcels.lock().await.pop() {
        Some(_) => parcels.lock().await.len(),
        None => 0,
    }
}

// Fixed: the guard is dropped at the end of the statement.
async fn locks_once(parcels: &Parcels) -> usize {
    let parcel = parcels.lock().await.pop();
    match parcel {
        Some(_) => parcels.lock().await.len(),
        None => 0,
    }
}

// Broken: a writer waits between the two reads, and the second read waits for
// the writer.
async fn reads_twice(events: &RwLock<u32>) -> u32 {
    let before = events.read().await;
    tokio::task::yield_now().await; // the writer comes
    let after = events.read().await;
    *before + *after
}

// Fixed: one guard for both.
async fn reads_once(events: &RwLock<u32>) -> u32 {
    let events = events.read().await;
    tokio::task::yield_now().await;
    *events + *events
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let parcels = Mutex::new(vec![7, 8, 9]);
    assert!(timeout(DAY, locks_twice(&parcels)).await.is_err());
    assert_eq!(timeout(DAY, locks_once(&parcels)).await, Ok(1));
    println!("a guard in a match: waits for itself");

    let events = RwLock::new(7);
    let writes = async || *events.write().await += 1;
    let both = async { tokio::join!(reads_twice(&events), writes()) };
    assert!(timeout(DAY, both).await.is_err());
    let both = async { tokio::join!(reads_once(&events), writes()) };
    assert_eq!(timeout(DAY, both).await, Ok((14, ())));
    println!("a second read behind a writer: waits forever");

    // Broken: a task holds a sender of the channel that it reads to the end.
    let (tx, mut rx) = mpsc::channel::<u32>(8);
    assert!(timeout(DAY, rx.recv()).await.is_err());
    // Fixed: it drops its own sender.
    drop(tx);
    assert_eq!(timeout(DAY, rx.recv()).await, Ok(None));
    println!("recv with a sender of its own: waits forever");
}
// ANCHOR_END: all
