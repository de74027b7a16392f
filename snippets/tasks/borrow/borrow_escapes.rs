// ANCHOR: all
use tokio::task::JoinHandle;

async fn track(parcels: &[u32]) -> usize {
    parcels.len()
}

// ANCHOR: broken
fn start(parcels: &[u32]) -> JoinHandle<usize> {
    tokio::spawn(track(parcels))
}
// ANCHOR_END: broken

#[tokio::main]
async fn main() {
    start(&[7, 8]).await.expect("no panic");
}
// ANCHOR_END: all
