// ANCHOR: all
use std::panic::resume_unwind;

use tokio::task::yield_now;

async fn store_events() {
    yield_now().await;
    panic!("a parcel without an address");
}

async fn careless() {
    // ANCHOR: broken
    let task = tokio::spawn(store_events());
    _ = task.await;
    // ANCHOR_END: broken
}

async fn careful() {
    let task = tokio::spawn(store_events());
    // ANCHOR: fixed
    match task.await {
        Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
        end => end.expect("it is not aborted"),
    }
    // ANCHOR_END: fixed
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let end = tokio::spawn(careless()).await;
    println!("discarded: {end:?}");
    assert!(end.is_ok());

    let end = tokio::spawn(careful()).await;
    let panic = end.expect_err("a panic").into_panic();
    let message = panic.downcast_ref::<&str>();
    println!("resumed: {message:?}");
    assert_eq!(message, Some(&"a parcel without an address"));
}
// ANCHOR_END: all
