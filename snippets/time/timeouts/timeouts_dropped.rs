// ANCHOR: all
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::{sleep, timeout};

const LIMIT: Duration = Duration::from_secs(3);

static STARTED: AtomicU32 = AtomicU32::new(0);

/// An export of all parcels takes seven seconds.
async fn export() -> &'static str {
    STARTED.fetch_add(1, Relaxed);
    sleep(Duration::from_secs(7)).await;
    "parcels.csv"
}

// ANCHOR: broken
async fn start_again() -> Option<&'static str> {
    for _ in 0..3 {
        if let Ok(file) = timeout(LIMIT, export()).await {
            return Some(file);
        }
        println!("still exporting");
    }
    None
}
// ANCHOR_END: broken

// ANCHOR: fixed
async fn go_on() -> Option<&'static str> {
    let mut export = pin!(export());
    for _ in 0..3 {
        if let Ok(file) = timeout(LIMIT, &mut export).await {
            return Some(file);
        }
        println!("still exporting");
    }
    None
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let file = start_again().await;
    println!("by value: {STARTED:?} started, {file:?}");
    assert_eq!((STARTED.swap(0, Relaxed), file), (3, None));

    let file = go_on().await;
    println!("by reference: {STARTED:?} started, {file:?}");
    assert_eq!((STARTED.swap(0, Relaxed), file), (1, Some("parcels.csv")));
}
// ANCHOR_END: all
