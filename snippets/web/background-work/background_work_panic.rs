// ANCHOR: all
use std::collections::HashMap;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};

use futures::FutureExt;
use tokio_util::task::TaskTracker;

type Status = Arc<Mutex<HashMap<u64, &'static str>>>;

async fn print(id: u64) {
    assert_ne!(id, 8, "no photo in this file");
}

// ANCHOR: broken
// Broken: nobody keeps the handle, so nobody sees how the task ends.
async fn trusting(status: Status, id: u64) {
    print(id).await;
    set(&status, id, "printed");
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: whatever happens inside, the photo has a status.
async fn watchful(status: Status, id: u64) {
    let outcome = AssertUnwindSafe(print(id)).catch_unwind().await;
    set(&status, id, if outcome.is_ok() { "printed" } else { "failed" });
}
// ANCHOR_END: fixed

fn set(status: &Status, id: u64, value: &'static str) {
    status.lock().expect("no panic inside").insert(id, value);
}

async fn run<F: Future<Output = ()> + Send + 'static>(
    job: fn(Status, u64) -> F,
) -> [&'static str; 2] {
    let (work, status) = (TaskTracker::new(), Status::default());
    for id in [7, 8] {
        set(&status, id, "waiting");
        work.spawn(job(status.clone(), id));
    }
    work.close();
    work.wait().await; // ends whether they panic or not
    let status = status.lock().expect("no panic inside");
    [status[&7], status[&8]]
}

#[tokio::main]
async fn main() {
    let status = run(trusting).await;
    println!("nobody looks: {status:?}");
    assert_eq!(status, ["printed", "waiting"]);

    let status = run(watchful).await;
    println!("caught: {status:?}");
    assert_eq!(status, ["printed", "failed"]);
}
// ANCHOR_END: all
