// ANCHOR: all
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::{sleep, timeout};
use tokio_util::task::TaskTracker;

static PRINTED: AtomicU32 = AtomicU32::new(0);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn print() {
    sleep(Duration::from_secs(60)).await;
    PRINTED.fetch_add(1, Relaxed);
}

// ANCHOR: broken
// Broken: a task that nobody waits for ends with the runtime.
#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn detached() {
    tokio::spawn(print());
    sleep(Duration::from_secs(1)).await;
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: wait for the tracker. Closed it must be, or `wait` never ends.
#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn tracked() {
    let work = TaskTracker::new();
    work.spawn(print());
    assert!(timeout(DAY, work.wait()).await.is_err());
    assert!(work.is_empty(), "and yet it waited");
    work.spawn(print());
    work.close();
    work.wait().await;
}
// ANCHOR_END: fixed

fn main() {
    detached();
    println!("detached: printed {PRINTED:?} of 1");
    assert_eq!(PRINTED.load(Relaxed), 0);

    tracked();
    println!("tracked: printed {PRINTED:?} of 2");
    assert_eq!(PRINTED.load(Relaxed), 2);
}
// ANCHOR_END: all
