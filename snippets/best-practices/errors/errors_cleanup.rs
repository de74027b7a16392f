// ANCHOR: all
use std::future::pending;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tokio::time::{Instant, timeout};

const LIMIT: Duration = Duration::from_secs(5);

/// How many labels the carrier has sold.
static SOLD: AtomicU32 = AtomicU32::new(0);

async fn buy(parcel: u32) -> Result<u32> {
    ensure!(parcel != 404, "402 Payment Required");
    Ok(SOLD.fetch_add(1, Relaxed) + 1)
}

/// How often the connection was closed.
static CLOSED: AtomicU32 = AtomicU32::new(0);

async fn close() -> Result<()> {
    if CLOSED.fetch_add(1, Relaxed) == 5 {
        pending::<()>().await; // the carrier is silent
    }
    bail!("the carrier has closed the connection already")
}

// ANCHOR: broken
async fn buy_and_close(parcel: u32) -> Result<u32> {
    let label = buy(parcel).await?;
    close().await?;
    Ok(label)
}
// ANCHOR_END: broken

// ANCHOR: fixed
async fn buy_then_close(parcel: u32) -> Result<u32> {
    let bought = buy(parcel).await;
    let closed = timeout(LIMIT, close()).await.context("it takes too long");
    if let Err(error) = closed.flatten() {
        tracing::warn!("not closed, parcel {parcel}: {error:#}");
    }
    bought
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<()> {
    // A caller that tries three times.
    let mut attempts = 0;
    while attempts < 3 && buy_and_close(7).await.is_err() {
        attempts += 1;
    }
    println!("`?` after the purchase: {} labels", SOLD.load(Relaxed));
    assert_eq!((attempts, SOLD.swap(0, Relaxed)), (3, 3));

    assert_eq!(buy_then_close(7).await?, 1);
    println!("logged: {} label", SOLD.load(Relaxed));
    assert_eq!((SOLD.load(Relaxed), CLOSED.load(Relaxed)), (1, 4));

    let error = buy_then_close(404).await.expect_err("it is not paid");
    println!("both fail: {error:#}");
    assert_eq!(error.to_string(), "402 Payment Required");

    let start = Instant::now();
    let label = buy_then_close(7).await?;
    println!("silent: label {label} after {} s", start.elapsed().as_secs());
    assert_eq!((label, start.elapsed()), (2, LIMIT));
    Ok(())
}
// ANCHOR_END: all
