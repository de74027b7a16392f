// ANCHOR: all
use std::future::{Future, pending, ready};
use std::mem::take;
use std::sync::Mutex;
use std::time::Duration;

use futures::FutureExt;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_util::task::TaskTracker;

static LOG: Mutex<Vec<&str>> = Mutex::new(Vec::new());

async fn close_the_till() {
    for step in ["counted", "locked"] {
        sleep(Duration::from_secs(1)).await;
        LOG.lock().expect("never poisoned").push(step);
    }
}

/// What was done to the till, given all the time in the world.
async fn at_last() -> Vec<&'static str> {
    sleep(Duration::from_secs(24 * 60 * 60)).await;
    take(&mut LOG.lock().expect("never poisoned"))
}

// ANCHOR: broken
// Broken: the second line can be skipped, or end halfway.
async fn close_in_place(work: impl Future) {
    work.await;
    close_the_till().await;
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: a task closes, and a guard starts it whatever happens.
async fn close_in_a_task(closing: TaskTracker, work: impl Future) {
    let mut till = Till(Some(closing));
    work.await;
    till.start_closing().expect("still open").await.expect("no panic");
}

struct Till(Option<TaskTracker>);

impl Till {
    fn start_closing(&mut self) -> Option<JoinHandle<()>> {
        Some(self.0.take()?.spawn(close_the_till()))
    }
}

impl Drop for Till {
    fn drop(&mut self) {
        self.start_closing();
    }
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let limit = Duration::from_millis(1500);
    let serving = || pending::<()>();

    // ANCHOR: ends
    assert!(timeout(limit, close_in_place(serving())).await.is_err());
    let log = at_last().await;
    println!("in place, dropped at work: {log:?}");
    assert!(log.is_empty());

    assert!(timeout(limit, close_in_place(ready(()))).await.is_err());
    let log = at_last().await;
    println!("in place, dropped at closing: {log:?}");
    assert_eq!(log, ["counted"]);

    let closing = TaskTracker::new();
    for work in [serving().boxed(), ready(()).boxed()] {
        let work = close_in_a_task(closing.clone(), work);
        assert!(timeout(limit, work).await.is_err());
        assert_eq!(closing.len(), 1, "giving up did not wait");
        let log = at_last().await;
        println!("in a task: {log:?}");
        assert_eq!(log, ["counted", "locked"]);
    }
    // ANCHOR_END: ends
}
// ANCHOR_END: all
