// ANCHOR: all
use futures::stream::{self, StreamExt};

async fn track(parcel: &u32) -> u32 {
    *parcel
}

// ANCHOR: broken
async fn track_all() -> Vec<u32> {
    let parcels = [7, 8];
    let tracked = stream::iter(&parcels).map(|parcel| track(parcel));
    tracked.buffer_unordered(2).collect().await
}
// ANCHOR_END: broken

async fn start() {
    tokio::spawn(track_all()).await.expect("no panic");
}

#[tokio::main]
async fn main() {
    start().await;
}
// ANCHOR_END: all
