// ANCHOR: all
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};
use tokio_util::task::TaskTracker;

static NOTIFIED: AtomicU32 = AtomicU32::new(0);
static DROPPED: AtomicU32 = AtomicU32::new(0);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

struct Guard;

impl Drop for Guard {
    fn drop(&mut self) {
        DROPPED.fetch_add(1, Relaxed);
    }
}

async fn notify() {
    let _guard = Guard;
    sleep(Duration::from_secs(60)).await;
    NOTIFIED.fetch_add(1, Relaxed);
}

// ANCHOR: broken
#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn detached() {
    tokio::spawn(notify());
    sleep(Duration::from_secs(1)).await;
}
// ANCHOR_END: broken

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn tracked() {
    // ANCHOR: fixed
    let tracker = TaskTracker::new();
    tracker.spawn(notify());
    tracker.close(); // without it, `wait` never ends
    tracker.wait().await;
    // ANCHOR_END: fixed
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn not_closed() {
    let tracker = TaskTracker::new();
    assert!(timeout(DAY, tracker.wait()).await.is_err());
    assert!(tracker.is_empty());
}

/// The runtime waits for the thread when this has returned.
#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn on_a_thread() {
    let (begun_tx, begun) = oneshot::channel();
    spawn_blocking(move || {
        _ = begun_tx.send(());
        thread::sleep(Duration::from_millis(50));
        NOTIFIED.fetch_add(1, Relaxed);
    });
    begun.await.expect("it begins");
}

fn main() {
    detached();
    let dropped = DROPPED.swap(0, Relaxed);
    println!("broken: {NOTIFIED:?} of 1 notified, {dropped} dropped");
    assert_eq!((NOTIFIED.load(Relaxed), dropped), (0, 1));

    tracked();
    println!("fixed: {NOTIFIED:?} of 1 notified");
    assert_eq!(NOTIFIED.load(Relaxed), 1);

    on_a_thread();
    println!("on a thread, not awaited: {NOTIFIED:?} of 2 notified");
    assert_eq!(NOTIFIED.load(Relaxed), 2);

    not_closed();
}
// ANCHOR_END: all
