// ANCHOR: all
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use anyhow::{Result, bail};
use tokio::time::{Instant, sleep};
use tokio::{spawn, try_join};

static SOLD: AtomicU32 = AtomicU32::new(0);

/// Takes as many seconds. The label of 1 s is refused.
async fn buy(seconds: u64) -> Result<u64> {
    sleep(Duration::from_secs(seconds)).await;
    if seconds == 1 {
        bail!("402 Payment Required");
    }
    SOLD.fetch_add(1, SeqCst);
    Ok(seconds)
}

/// The labels that are sold in the next hour.
async fn sold_later() -> u32 {
    assert_eq!(SOLD.load(SeqCst), 0);
    sleep(Duration::from_secs(3600)).await;
    SOLD.swap(0, SeqCst)
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<()> {
    // ANCHOR: broken
    let first = async { spawn(buy(1)).await? };
    let second = async { spawn(buy(2)).await? };
    let labels = try_join!(first, second);
    // ANCHOR_END: broken
    let error = labels.expect_err("the first is refused");
    let later = sold_later().await;
    println!("tasks: {error}, later sold: {later}");
    assert_eq!(later, 1);

    let start = Instant::now();
    // ANCHOR: broken_nested
    let (first, _) = try_join!(spawn(buy(1)), spawn(buy(2)))?;
    // ANCHOR_END: broken_nested
    let error = first.expect_err("it is refused");
    println!("handles: after `?` there is Err({error})");
    assert_eq!(start.elapsed(), Duration::from_secs(2));
    assert_eq!(SOLD.swap(0, SeqCst), 1);

    // ANCHOR: fixed
    let labels = try_join!(buy(1), buy(2));
    // ANCHOR_END: fixed
    let error = labels.expect_err("the first is refused");
    let later = sold_later().await;
    println!("futures: {error}, later sold: {later}");
    assert_eq!(later, 0);
    Ok(())
}
// ANCHOR_END: all
