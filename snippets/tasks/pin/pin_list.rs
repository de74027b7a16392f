// ANCHOR: all
use std::future::Future;

use futures::future::select_all;

async fn track(carrier: u32) -> u32 {
    carrier
}

async fn cached() -> u32 {
    7
}

// ANCHOR: broken
async fn first() -> u32 {
    let ways: Vec<Box<dyn Future<Output = u32> + Send>> =
        vec![Box::new(track(7)), Box::new(cached())];
    select_all(ways).await.0
}
// ANCHOR_END: broken

#[tokio::main]
async fn main() {
    first().await;
}
// ANCHOR_END: all
