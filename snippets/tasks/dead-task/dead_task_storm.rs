// ANCHOR: all
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::{Instant, sleep};

const SECOND: Duration = Duration::from_secs(1);

/// How many runs have begun.
static RUNS: AtomicU32 = AtomicU32::new(0);

/// The disk is full as often as that.
async fn store_events(full: u32) -> Result<(), &'static str> {
    match RUNS.fetch_add(1, Relaxed) {
        run if run < full => Err("disk full"),
        _ => Ok(()),
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let start = Instant::now();
    let full = 9_999;
    // ANCHOR: broken
    while tokio::spawn(store_events(full)).await?.is_err() {}
    // ANCHOR_END: broken
    println!("at once: {RUNS:?} runs in {:?}", start.elapsed());
    assert_eq!(
        (RUNS.swap(0, Relaxed), start.elapsed()),
        (10_000, Duration::ZERO)
    );

    let start = Instant::now();
    let full = 14;
    // ANCHOR: fixed
    let mut wait = SECOND;
    while tokio::spawn(store_events(full)).await?.is_err() {
        sleep(wait).await;
        wait = (2 * wait).min(60 * SECOND);
    }
    // ANCHOR_END: fixed
    println!("with a wait: {RUNS:?} runs in {:?}", start.elapsed());
    assert_eq!((RUNS.swap(0, Relaxed), start.elapsed()), (15, 543 * SECOND));
    Ok(())
}
// ANCHOR_END: all
