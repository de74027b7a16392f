// ANCHOR: all
use std::panic::resume_unwind;

use tokio::task::yield_now;

async fn keep() {
    yield_now().await;
    panic!("no oil");
}

// ANCHOR: broken
/// Broken: awaited, and thrown away.
async fn careless() {
    let keeper = tokio::spawn(keep());
    _ = keeper.await;
}
// ANCHOR_END: broken

// ANCHOR: fixed
/// Fixed: a panic goes on in whoever waits.
async fn careful() {
    let keeper = tokio::spawn(keep());
    match keeper.await {
        Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
        end => end.expect("nobody cancels it"),
    }
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let end = tokio::spawn(careless()).await;
    println!("thrown away: {end:?}");
    assert!(end.is_ok());

    let end = tokio::spawn(careful()).await;
    let panic = end.unwrap_err().into_panic();
    let message = panic.downcast_ref::<&str>();
    println!("passed on: {message:?}");
    assert_eq!(message, Some(&"no oil"));
}
// ANCHOR_END: all
