// ANCHOR: all
use std::future::Future;

use tokio::task::JoinHandle;

// ANCHOR: broken
fn start<F: Future<Output = u32>>(request: F) -> JoinHandle<u32> {
    tokio::spawn(request)
}
// ANCHOR_END: broken

#[tokio::main]
async fn main() {
    start(async { 7 }).await.expect("no panic");
}
// ANCHOR_END: all
