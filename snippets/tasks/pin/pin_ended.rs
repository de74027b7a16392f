// ANCHOR: all
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures::FutureExt;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout};

async fn track() -> u32 {
    7
}

// ANCHOR: broken
async fn twice() {
    let mut status = pin!(track());
    for _ in 0..2 {
        println!("parcel {}", status.as_mut().await);
    }
}
// ANCHOR_END: broken

// ANCHOR: fixed
async fn once() -> Vec<Option<u32>> {
    let (mut status, mut found) = (pin!(track().fuse()), vec![]);
    for _ in 0..2 {
        found.push(tokio::select! {
            parcel = &mut status => Some(parcel),
            () = sleep(Duration::from_secs(1)) => None,
        });
    }
    found
}
// ANCHOR_END: fixed

/// The message of a task that panics.
async fn panic_of<F>(work: F) -> Option<String>
where
    F: Future<Output: Send> + Send + 'static,
{
    let panic = tokio::spawn(work).await.err()?.into_panic();
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast::<String>().ok().map(|text| *text))
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let message = panic_of(twice()).await.expect("it panics");
    println!("panic: {message}");
    assert_eq!(message, "`async fn` resumed after completion");

    let mut task = tokio::spawn(track());
    assert_eq!((&mut task).await.expect("no panic"), 7);
    let message = panic_of(task).await.expect("it panics");
    println!("panic: {message}");
    assert_eq!(message, "JoinHandle polled after completion");

    let (reply_tx, mut reply_rx) = oneshot::channel();
    reply_tx.send(7).expect("a receiver");
    assert_eq!((&mut reply_rx).await, Ok(7));
    let message = panic_of(reply_rx).await.expect("it panics");
    println!("panic: {message}");
    assert_eq!(message, "called after complete");

    let start = Instant::now();
    let found = once().await;
    println!("fused, in a select!: {found:?}");
    assert_eq!(found, [Some(7), None]);
    assert_eq!(start.elapsed(), Duration::from_secs(1));

    let hour = Duration::from_secs(3600);
    let mut status = pin!(track().fuse());
    assert_eq!(status.as_mut().await, 7);
    assert!(timeout(hour, status).await.is_err());
    println!("fused, and awaited again: it waits after an hour");

    let mut timer = pin!(sleep(hour));
    timer.as_mut().await;
    assert_eq!(timer.as_mut().now_or_never(), Some(()));
    println!("a sleep, awaited again: it is ready");
}
// ANCHOR_END: all
