// ANCHOR: all
use std::future::Future;

use futures::future::join_all;

async fn track(carrier: u32) -> u32 {
    carrier
}

async fn cached() -> u32 {
    7
}

// ANCHOR: broken
async fn both() -> Vec<u32> {
    let ways: Vec<Box<dyn Future<Output = u32> + Send>> =
        vec![Box::new(track(7)), Box::new(cached())];
    join_all(ways).await
}
// ANCHOR_END: broken

#[tokio::main]
async fn main() {
    both().await;
}
// ANCHOR_END: all
