// ANCHOR: all
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// Waits for the next event of a carrier: ten minutes.
async fn next_event() {
    sleep(Duration::from_secs(600)).await;
}

// ANCHOR: broken
async fn check(token: CancellationToken) {
    while !token.is_cancelled() {
        next_event().await;
    }
}
// ANCHOR_END: broken

// ANCHOR: fixed
async fn follow(token: CancellationToken) {
    while token.run_until_cancelled(next_event()).await.is_some() {}
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let token = CancellationToken::new();
    let checks = tokio::spawn(check(token.clone()));
    let follows = tokio::spawn(follow(token.clone()));
    sleep(Duration::from_secs(10)).await;

    assert!(!checks.is_finished() && !follows.is_finished());
    let start = Instant::now();
    token.cancel();
    follows.await?;
    let follows = start.elapsed();
    checks.await?;
    println!("is_cancelled: ends after {:?}", start.elapsed());
    assert_eq!(start.elapsed(), Duration::from_secs(590));
    println!("run_until_cancelled: ends after {follows:?}");
    assert_eq!(follows, Duration::ZERO);
    Ok(())
}
// ANCHOR_END: all
