// ANCHOR: all
use std::cell::RefCell;
use std::panic::AssertUnwindSafe;

use futures::future::FutureExt;
use tokio::task::yield_now;

// ANCHOR: broken
#[expect(clippy::await_holding_refcell_ref, reason = "it is the bug")]
async fn scan(events: &RefCell<Vec<u32>>, parcel: u32) {
    let mut events = events.borrow_mut();
    yield_now().await;
    events.push(parcel); // still borrowed
}

async fn count(scans: &RefCell<u32>) {
    let before = *scans.borrow();
    yield_now().await;
    *scans.borrow_mut() = before + 1; // overwrites the other scan
}
// ANCHOR_END: broken

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let events = RefCell::default();
    let both = async { tokio::join!(scan(&events, 7), scan(&events, 8)) };
    let panic = AssertUnwindSafe(both).catch_unwind().await.unwrap_err();
    let message = panic.downcast_ref::<String>().expect("a message");
    println!("panic: {message}");
    assert!(message.contains("already borrowed"));

    let scans = RefCell::default();
    tokio::join!(count(&scans), count(&scans));
    let scans = scans.into_inner();
    println!("{scans} of 2 scans");
    assert_eq!(scans, 1);
}
// ANCHOR_END: all
