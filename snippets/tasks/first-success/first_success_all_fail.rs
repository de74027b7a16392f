// ANCHOR: all
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt;
use futures::future::select_ok;
use futures::stream::{FuturesUnordered, StreamExt};
use tokio::time::sleep;

async fn call(minutes: u64) -> Result<&'static str, &'static str> {
    sleep(Duration::from_secs(60 * minutes)).await;
    Err(["Swift: no car left", "Castle: closed"][usize::from(minutes > 1)])
}

// ANCHOR: fixed
/// Fixed: the first success, or all the errors there are; none for nobody.
async fn first_success(
    minutes: &[u64],
) -> Result<&'static str, Vec<&'static str>> {
    let mut calls: FuturesUnordered<_> =
        minutes.iter().map(|minutes| call(*minutes)).collect();
    let mut errors = Vec::new();
    while let Some(answer) = calls.next().await {
        match answer {
            Ok(taxi) => return Ok(taxi),
            Err(error) => errors.push(error),
        }
    }
    Err(errors)
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    // ANCHOR: broken
    // Broken: the last error is the only one left, and nobody to call a panic.
    let calls = [9, 1].map(|minutes| call(minutes).boxed());
    let error = select_ok(calls).await.map(|(taxi, _)| taxi);
    println!("select_ok: {error:?}");
    assert_eq!(error, Err("Castle: closed"));

    let nobody = async { select_ok([].map(|m| call(m).boxed())).await.is_ok() };
    let nobody = AssertUnwindSafe(nobody).catch_unwind().await;
    println!("select_ok of nobody: a panic");
    assert!(nobody.is_err());
    // ANCHOR_END: broken

    let errors = first_success(&[9, 1]).await;
    println!("first_success: {errors:?}");
    assert_eq!(errors, Err(vec!["Swift: no car left", "Castle: closed"]));
    assert_eq!(first_success(&[]).await, Err(vec![]));
}
// ANCHOR_END: all
