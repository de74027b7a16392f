// ANCHOR: all
use std::future::pending;
use std::time::Duration;

use anyhow::bail;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Follows a carrier until the token is cancelled.
async fn follow(token: CancellationToken) {
    token.run_until_cancelled(pending::<()>()).await;
}

async fn deliver() -> anyhow::Result<()> {
    sleep(Duration::from_secs(600)).await;
    bail!("no such address")
}

// ANCHOR: broken
async fn cancel_at_the_end(tracker: &TaskTracker) -> anyhow::Result<()> {
    let token = CancellationToken::new();
    tracker.spawn(follow(token.clone()));
    deliver().await?;
    token.cancel();
    Ok(())
}
// ANCHOR_END: broken

// ANCHOR: fixed
async fn cancel_on_drop(tracker: &TaskTracker) -> anyhow::Result<()> {
    let token = CancellationToken::new();
    let _guard = token.clone().drop_guard();
    tracker.spawn(follow(token));
    deliver().await
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let day = Duration::from_secs(24 * 60 * 60);
    let tracker = TaskTracker::new();
    tracker.close(); // so that `wait` ends when no task is left
    let running = async {
        sleep(Duration::from_secs(1)).await;
        tracker.len()
    };
    let (end, running) = tokio::join!(cancel_on_drop(&tracker), running);
    assert!(end.is_err() && running == 1);
    timeout(day, tracker.wait()).await?;
    let left = tracker.len();

    assert!(cancel_at_the_end(&tracker).await.is_err());
    assert!(timeout(day, tracker.wait()).await.is_err());
    println!("a dropped token: {} task left", tracker.len());
    assert_eq!(tracker.len(), 1);
    println!("a dropped guard: {left} tasks left");
    assert_eq!(left, 0);
    Ok(())
}
// ANCHOR_END: all
