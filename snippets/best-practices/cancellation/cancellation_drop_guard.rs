// ANCHOR: all
use std::future::pending;
use std::time::Duration;

use anyhow::bail;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Turns the dome after the telescope until it is told to stop.
async fn follow(stop: CancellationToken) {
    stop.run_until_cancelled(pending::<()>()).await;
}

async fn expose() -> anyhow::Result<()> {
    sleep(Duration::from_secs(600)).await;
    bail!("clouds")
}

// ANCHOR: broken
// Broken: `?` drops the token, and a dropped token says nothing.
async fn tells_at_the_end(dome: &TaskTracker) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    dome.spawn(follow(stop.clone()));
    expose().await?;
    stop.cancel();
    Ok(())
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: the guard cancels, however the function is left.
async fn tells_on_drop(dome: &TaskTracker) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    let _guard = stop.clone().drop_guard();
    dome.spawn(follow(stop));
    expose().await?;
    Ok(())
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let day = Duration::from_secs(24 * 3600);
    let dome = TaskTracker::new();
    dome.close(); // lets `wait` end once nothing turns any more

    assert!(tells_on_drop(&dome).await.is_err());
    timeout(day, dome.wait()).await?;
    println!("drop_guard: {} still turning", dome.len());

    assert!(tells_at_the_end(&dome).await.is_err());
    assert!(timeout(day, dome.wait()).await.is_err());
    println!("dropped token: {} still turning", dome.len());
    assert_eq!(dome.len(), 1);
    Ok(())
}
// ANCHOR_END: all
