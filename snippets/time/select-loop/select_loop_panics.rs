// ANCHOR: all
use std::future::Future;
use std::pin::pin;

use futures::future::{FusedFuture, FutureExt};
use tokio::sync::mpsc::{Receiver, channel};

async fn encode() -> u32 {
    7
}

// ANCHOR: broken
// Broken: the second turn polls what has ended in the first.
async fn polls_again() {
    let mut encoding = pin!(encode());
    for _ in 0..2 {
        tokio::select! { _ = &mut encoding => {} }
    }
}

// Broken: the wire has ended, so its arm is out, and there is no other.
async fn no_arm_is_left(mut wire: Receiver<u32>) {
    loop {
        tokio::select! { Some(_) = wire.recv() => {} }
    }
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: a fuse tells that it has ended, and `else` what happens then.
async fn ends(mut wire: Receiver<u32>) -> u32 {
    let (mut encoding, mut sum) = (pin!(encode().fuse()), 0);
    loop {
        tokio::select! {
            code = &mut encoding, if !encoding.is_terminated() => sum += code,
            Some(telegram) = wire.recv() => sum += telegram,
            else => return sum,
        }
    }
}
// ANCHOR_END: fixed

/// What a task says when it panics.
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

    let (_, wire) = channel(1);
    let message = panic_of(no_arm_is_left(wire)).await.expect("it panics");
    println!("{message}");
    let expected = "all branches are disabled and there is no else branch";
    assert_eq!(message, expected);

    let (send, wire) = channel(1);
    send.send(3).await?;
    drop(send);
    let sum = ends(wire).await;
    println!("fused, and with an else: {sum}");
    assert_eq!(sum, 10);
    Ok(())
}
// ANCHOR_END: all
