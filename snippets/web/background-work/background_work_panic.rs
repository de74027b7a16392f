// ANCHOR: all
use std::sync::{Arc, Mutex};

use tokio_util::task::TaskTracker;

async fn notify(parcel: u32) {
    assert_ne!(parcel, 13, "it has no customer");
}

#[tokio::main]
async fn main() {
    let log = Arc::new(Mutex::new(Vec::new()));
    let tracker = TaskTracker::new();
    tracker.close();

    let parcel = 13;
    // ANCHOR: broken
    tracker.spawn(notify(parcel));
    // ANCHOR_END: broken
    tracker.wait().await;
    let lines = log.lock().expect("no panic").clone();
    println!("broken: the log has {lines:?}");
    assert!(lines.is_empty());

    let errors = Arc::clone(&log);
    // ANCHOR: fixed
    let task = tokio::spawn(notify(parcel));
    tracker.spawn(async move {
        if let Err(error) = task.await {
            let how = if error.is_panic() { "panicked" } else { "aborted" };
            errors.lock().expect("no panic").push((parcel, how));
        }
    });
    // ANCHOR_END: fixed
    tracker.wait().await;
    let lines = log.lock().expect("no panic").clone();
    println!("fixed: the log has {lines:?}");
    assert_eq!(lines, [(13, "panicked")]);
}
// ANCHOR_END: all
