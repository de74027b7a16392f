// ANCHOR: all
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::{sleep, timeout};
use tokio_util::task::TaskTracker;

static BEGUN: AtomicU32 = AtomicU32::new(0);
static SAVED: AtomicU32 = AtomicU32::new(0);

async fn save() {
    BEGUN.fetch_add(1, Relaxed);
    sleep(Duration::from_secs(5)).await;
    SAVED.fetch_add(1, Relaxed);
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let second = Duration::from_secs(1);

    // ANCHOR: broken
    // Broken: whoever gives up waiting stops the saving.
    assert!(timeout(second, save()).await.is_err());
    sleep(4 * second).await;
    println!("awaited: {BEGUN:?} begun, {SAVED:?} saved");
    assert_eq!((BEGUN.load(Relaxed), SAVED.load(Relaxed)), (1, 0));
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: a task saves. Whoever gives up drops its handle only.
    let saving = TaskTracker::new();
    let task = saving.spawn(save());
    assert!(timeout(second, task).await.is_err());
    assert_eq!(SAVED.load(Relaxed), 0);

    saving.close();
    saving.wait().await; // before the program ends
    println!("in a task: {BEGUN:?} begun, {SAVED:?} saved");
    assert_eq!((BEGUN.load(Relaxed), SAVED.load(Relaxed)), (2, 1));
    // ANCHOR_END: fixed
    Ok(())
}
// ANCHOR_END: all
