// ANCHOR: all
use std::cell::Cell;

use tokio::task::yield_now;

// ANCHOR: broken
async fn count(scans: &Cell<u32>) {
    yield_now().await; // a scan
    scans.set(scans.get() + 1);
}

async fn watch() -> u32 {
    let scans = Cell::new(0);
    tokio::join!(count(&scans), count(&scans));
    scans.get()
}
// ANCHOR_END: broken

async fn start() {
    tokio::spawn(watch()).await.expect("no panic");
}

#[tokio::main]
async fn main() {
    start().await;
}
// ANCHOR_END: all
