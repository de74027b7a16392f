// ANCHOR: all
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::{sleep, timeout};
use tokio_util::task::TaskTracker;

static QUOTED: AtomicU32 = AtomicU32::new(0);
static BOUGHT: AtomicU32 = AtomicU32::new(0);

/// Asks a hundred carriers, which takes a minute and changes nothing.
async fn quote() -> u32 {
    sleep(Duration::from_secs(60)).await;
    QUOTED.fetch_add(1, Relaxed);
    700
}

async fn buy(_cents: u32) {
    sleep(Duration::from_secs(6)).await;
    BOUGHT.fetch_add(1, Relaxed);
}

// ANCHOR: broken_scope
async fn quote_and_buy(tracker: &TaskTracker) {
    let task = tracker.spawn(async {
        let cents = quote().await;
        buy(cents).await;
    });
    task.await.expect("no panic");
}
// ANCHOR_END: broken_scope

// ANCHOR: fixed_scope
async fn quote_then_buy(tracker: &TaskTracker) {
    let cents = quote().await; // the caller may still give up
    let task = tracker.spawn(buy(cents));
    task.await.expect("no panic");
}
// ANCHOR_END: fixed_scope

/// The caller gives up after so many seconds: what is done all the same?
async fn after(seconds: u64, call: impl AsyncFn(&TaskTracker)) -> (u32, u32) {
    QUOTED.store(0, Relaxed);
    BOUGHT.store(0, Relaxed);
    let tracker = TaskTracker::new();
    let limit = Duration::from_secs(seconds);
    assert!(timeout(limit, call(&tracker)).await.is_err());
    tracker.close();
    tracker.wait().await;
    (QUOTED.load(Relaxed), BOUGHT.load(Relaxed))
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    // ANCHOR: broken
    let (quoted, bought) = after(30, quote_and_buy).await;
    println!("given up after 30 s: {quoted} quoted, {bought} bought");
    assert_eq!((quoted, bought), (1, 1));
    // ANCHOR_END: broken

    // ANCHOR: fixed
    let (quoted, bought) = after(30, quote_then_buy).await;
    println!("given up after 30 s: {quoted} quoted, {bought} bought");
    assert_eq!((quoted, bought), (0, 0));
    // ANCHOR_END: fixed

    let (quoted, bought) = after(63, quote_then_buy).await;
    println!("given up after 63 s: {quoted} quoted, {bought} bought");
    assert_eq!((quoted, bought), (1, 1));
}
// ANCHOR_END: all
