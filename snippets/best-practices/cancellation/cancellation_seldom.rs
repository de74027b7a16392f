// ANCHOR: all
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

async fn expose() {
    sleep(Duration::from_secs(600)).await;
}

// ANCHOR: broken
// Broken: looks up between two pictures, and not while it takes one.
async fn looks(stop: CancellationToken) {
    while !stop.is_cancelled() {
        expose().await;
    }
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: waits for both at once.
async fn listens(stop: CancellationToken) {
    while stop.run_until_cancelled(expose()).await.is_some() {}
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    let looking = tokio::spawn(looks(stop.clone()));
    let listening = tokio::spawn(listens(stop.clone()));
    sleep(Duration::from_secs(10)).await;

    let start = Instant::now();
    stop.cancel();
    listening.await?;
    println!("run_until_cancelled: {:?}", start.elapsed());
    assert_eq!(start.elapsed(), Duration::ZERO);

    looking.await?;
    println!("is_cancelled: {:?}", start.elapsed());
    assert_eq!(start.elapsed(), Duration::from_secs(590));
    Ok(())
}
// ANCHOR_END: all
