// ANCHOR: all
use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use tokio::runtime::Builder;
use tokio::task::{JoinSet, yield_now};
use tokio_util::task::TaskTracker;

static CLOSED: AtomicBool = AtomicBool::new(false);

struct Guard(TaskTracker);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.spawn(async {
            for _ in 0..10 {
                yield_now().await; // the carrier answers
            }
            CLOSED.store(true, Relaxed);
        });
    }
}

/// Starts a task that uses a connection.
async fn start(tracker: &TaskTracker) -> JoinSet<()> {
    let guard = Guard(tracker.clone());
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let _guard = guard;
        pending().await // a carrier that is silent
    });
    yield_now().await;
    tasks
}

// ANCHOR: broken
async fn return_at_once() {
    let tracker = TaskTracker::new();
    let _tasks = start(&tracker).await;
    // The runtime drops the tasks, and runs no new ones.
}
// ANCHOR_END: broken

// ANCHOR: fixed
async fn wait_for_the_clean_up() {
    let tracker = TaskTracker::new();
    let mut tasks = start(&tracker).await;
    tasks.shutdown().await; // drops the guard
    tracker.close();
    tracker.wait().await;
}
// ANCHOR_END: fixed

fn main() -> anyhow::Result<()> {
    // What `#[tokio::main]` does, with a look at what is left afterwards.
    Builder::new_current_thread().build()?.block_on(return_at_once());
    println!("main returns at once: closed: {CLOSED:?}");
    assert!(!CLOSED.load(Relaxed));

    Builder::new_current_thread().build()?.block_on(wait_for_the_clean_up());
    println!("main waits: closed: {CLOSED:?}");
    assert!(CLOSED.load(Relaxed));
    Ok(())
}
// ANCHOR_END: all
