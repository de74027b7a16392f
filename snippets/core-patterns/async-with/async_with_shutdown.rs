// ANCHOR: all
use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use tokio::runtime::Builder;
use tokio::task::{JoinSet, yield_now};
use tokio_util::task::TaskTracker;

static CLOSED: AtomicBool = AtomicBool::new(false);

struct Till(TaskTracker);

impl Drop for Till {
    fn drop(&mut self) {
        self.0.spawn(async { CLOSED.store(true, Relaxed) });
    }
}

fn open_the_shop(closing: &TaskTracker) -> JoinSet<()> {
    let till = Till(closing.clone());
    JoinSet::from_iter([async move {
        let _till = till;
        pending().await // a customer who cannot decide
    }])
}

// ANCHOR: broken
// Broken: returning drops the cashiers, and nobody waits for their tills.
async fn leave() {
    let closing = TaskTracker::new();
    let _cashiers = open_the_shop(&closing);
    yield_now().await;
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: send the cashiers home, then wait until the last till is closed.
async fn lock_up() {
    let closing = TaskTracker::new();
    let mut cashiers = open_the_shop(&closing);
    yield_now().await;
    cashiers.shutdown().await;
    closing.close();
    closing.wait().await;
}
// ANCHOR_END: fixed

fn main() -> anyhow::Result<()> {
    // What `#[tokio::main]` does, with a look at what is left afterwards.
    Builder::new_current_thread().build()?.block_on(leave());
    println!("main returns at once: closed = {CLOSED:?}");
    assert!(!CLOSED.load(Relaxed));

    Builder::new_current_thread().build()?.block_on(lock_up());
    println!("main waits: closed = {CLOSED:?}");
    assert!(CLOSED.load(Relaxed));
    Ok(())
}
// ANCHOR_END: all
