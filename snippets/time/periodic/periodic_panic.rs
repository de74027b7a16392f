// ANCHOR: all
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::interval;

static WOUND: AtomicU32 = AtomicU32::new(0);

async fn wind(time: u32) {
    assert!(time != 3, "the chain is stuck");
    WOUND.fetch_add(1, Relaxed);
}

// ANCHOR: broken
// Broken: one failure, and it is never wound again.
async fn for_itself() {
    let mut hourly = interval(Duration::from_secs(3600));
    for time in 1..=6 {
        hourly.tick().await;
        wind(time).await;
    }
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: each is a task of its own, and its end is looked at.
async fn in_tasks() -> u32 {
    let mut hourly = interval(Duration::from_secs(3600));
    let mut failed = 0;
    for time in 1..=6 {
        hourly.tick().await;
        if tokio::spawn(wind(time)).await.is_err() {
            failed += 1; // tell somebody
        }
    }
    failed
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let end = tokio::spawn(for_itself()).await;
    let wound = WOUND.swap(0, Relaxed);
    println!("for itself: wound {wound} times");
    assert!(end.is_err_and(|end| end.is_panic()));
    assert_eq!(wound, 2);

    let failed = in_tasks().await;
    let wound = WOUND.load(Relaxed);
    println!("in tasks: wound {wound} times, failed {failed}");
    assert_eq!((wound, failed), (5, 1));
    Ok(())
}
// ANCHOR_END: all
