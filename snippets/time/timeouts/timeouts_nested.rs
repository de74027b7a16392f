// ANCHOR: all
use std::cell::Cell;
use std::future::{Future, pending, ready};
use std::time::Duration;

use anyhow::Context;
use tokio::time::{Instant, sleep, timeout, timeout_at};

const SECOND: Duration = Duration::from_secs(1);

// ANCHOR: broken
async fn status(track: impl Future<Output = String>) -> anyhow::Result<String> {
    timeout(5 * SECOND, track).await.context("the carrier is silent")
}
// ANCHOR_END: broken

// ANCHOR: fixed
async fn status_before(
    track: impl Future<Output = String>,
    deadline: Instant, // of the caller
) -> anyhow::Result<String> {
    let left = deadline.duration_since(Instant::now());
    let limit = left.saturating_sub(SECOND); // less than the caller has
    timeout(limit, track).await.context("the carrier is silent")
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let silent = pending::<String>;
    let end = timeout(3 * SECOND, status(silent())).await;
    println!("the outer one is shorter: {end:?}");
    assert!(end.is_err());

    let start = Instant::now();
    let deadline = start + 3 * SECOND;
    let end = timeout_at(deadline, status_before(silent(), deadline)).await;
    let error = end?.expect_err("it is silent");
    println!("the inner one is shorter: {error}");
    assert_eq!(error.to_string(), "the carrier is silent");
    assert_eq!(start.elapsed(), 2 * SECOND);

    // The same deadline: the timeout polls its future, and then its timer.
    let deadline = Instant::now() + 3 * SECOND;
    let inner = timeout_at(deadline, silent());
    let end = timeout_at(deadline, inner).await;
    println!("the same deadline, one task: {end:?}");
    assert!(matches!(end, Ok(Err(_))));

    // The timer of a task starts after that of its caller.
    let inner = async { tokio::spawn(timeout_at(deadline, silent())).await };
    let end = timeout_at(deadline, inner).await;
    assert!(end.is_err());

    // The same duration begins later inside, and ends later.
    let inner = async {
        sleep(Duration::from_millis(1)).await;
        timeout(3 * SECOND, silent()).await
    };
    let end = timeout(3 * SECOND, inner).await;
    println!("the same duration: {end:?}");
    assert!(end.is_err());

    // Without time, the future is still polled once.
    let begun = Cell::new(false);
    let begins = async {
        begun.set(true);
        pending::<()>().await;
    };
    assert!(timeout(Duration::ZERO, begins).await.is_err() && begun.get());
    let end = timeout(Duration::ZERO, ready("delivered")).await;
    println!("no time: {end:?}");
    assert_eq!(end, Ok("delivered"));
    Ok(())
}
// ANCHOR_END: all
