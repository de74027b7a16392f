// ANCHOR: all
use std::future::Future;
use std::pin::pin;

use futures::future::{FusedFuture, FutureExt};
use tokio::sync::mpsc::{Receiver, channel};

async fn look_up() -> u32 {
    7
}

// ANCHOR: broken
async fn polls_again() {
    let mut looking_up = pin!(look_up());
    for _ in 0..2 {
        tokio::select! { _ = &mut looking_up => {} } // the second turn panics
    }
}

async fn has_no_branch(mut scans_rx: Receiver<u32>) {
    loop {
        tokio::select! { Some(_) = scans_rx.recv() => {} } // panics at the end
    }
}
// ANCHOR_END: broken

// ANCHOR: fixed
async fn ends(mut scans_rx: Receiver<u32>) -> u32 {
    let (mut looking_up, mut sum) = (pin!(look_up().fuse()), 0);
    loop {
        tokio::select! {
            found = &mut looking_up, if !looking_up.is_terminated() => {
                sum += found;
            }
            Some(scan) = scans_rx.recv() => sum += scan,
            else => return sum,
        }
    }
}
// ANCHOR_END: fixed

/// The message of a task that panics.
async fn panic_of(
    work: impl Future<Output = ()> + Send + 'static,
) -> Option<String> {
    let panic = tokio::spawn(work).await.err()?.into_panic();
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast::<String>().ok().map(|text| *text))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let message = panic_of(polls_again()).await.expect("it panics");
    println!("{message}");
    assert_eq!(message, "`async fn` resumed after completion");

    let (_, scans_rx) = channel(1);
    let message = panic_of(has_no_branch(scans_rx)).await.expect("it panics");
    println!("{message}");
    let expected = "all branches are disabled and there is no else branch";
    assert_eq!(message, expected);

    let (scans_tx, scans_rx) = channel(1);
    scans_tx.send(3).await?;
    drop(scans_tx);
    let sum = ends(scans_rx).await;
    println!("fused, and with an else: {sum}");
    assert_eq!(sum, 10);
    Ok(())
}
// ANCHOR_END: all
