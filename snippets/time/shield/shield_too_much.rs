// ANCHOR: all
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::{sleep, timeout};
use tokio_util::task::TaskTracker;

static SEARCHED: AtomicU32 = AtomicU32::new(0);
static WRITTEN: AtomicU32 = AtomicU32::new(0);

/// Looks for old claims, which takes ten minutes and changes nothing.
async fn search() {
    sleep(Duration::from_secs(600)).await;
    SEARCHED.fetch_add(1, Relaxed);
}

/// Two entries, which belong together.
async fn write() {
    sleep(Duration::from_secs(60)).await;
    WRITTEN.fetch_add(1, Relaxed);
}

// Broken: what nobody wants any more is done to the end.
async fn all_of_it(work: &TaskTracker) {
    let task = work.spawn(async {
        search().await;
        write().await;
    });
    task.await.expect("no panic");
}

// Fixed: from here on it must be finished.
async fn the_writing(work: &TaskTracker) {
    search().await;
    work.spawn(write()).await.expect("no panic");
}

/// Gives up after so many seconds. What is searched for and written then?
async fn after(seconds: u64, sell: impl AsyncFn(&TaskTracker)) -> (u32, u32) {
    SEARCHED.store(0, Relaxed);
    WRITTEN.store(0, Relaxed);
    let work = TaskTracker::new();
    let patience = Duration::from_secs(seconds);
    assert!(timeout(patience, sell(&work)).await.is_err());
    work.close();
    work.wait().await;
    (SEARCHED.load(Relaxed), WRITTEN.load(Relaxed))
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    // ANCHOR: broken
    let (searched, written) = after(300, all_of_it).await;
    println!("all of it: {searched} searched, {written} written");
    assert_eq!((searched, written), (1, 1));
    // ANCHOR_END: broken

    // ANCHOR: fixed
    let (searched, written) = after(300, the_writing).await;
    println!("the writing, given up before: {searched}, {written}");
    assert_eq!((searched, written), (0, 0));
    // ANCHOR_END: fixed

    let (searched, written) = after(630, the_writing).await;
    println!("the writing, given up in it: {searched}, {written}");
    assert_eq!((searched, written), (1, 1));
}
// ANCHOR_END: all
