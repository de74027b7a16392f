// ANCHOR: all
async fn track(parcels: &[u32]) -> usize {
    parcels.len()
}

// ANCHOR: broken
async fn start() -> usize {
    let parcels = vec![7, 8];
    let late = &parcels[1..];
    let task = tokio::spawn(async move { track(late).await });
    task.await.expect("no panic")
}
// ANCHOR_END: broken

#[tokio::main]
async fn main() {
    start().await;
}
// ANCHOR_END: all
