// ANCHOR: all
use std::collections::BTreeSet;

use tokio::sync::broadcast::{Receiver, channel, error::RecvError};

// ANCHOR: broken
// Broken: to have missed one ends the loop, as the end of the race does.
async fn until_an_error(mut calls: Receiver<u32>) -> BTreeSet<u32> {
    let mut heard = BTreeSet::new();
    while let Ok(number) = calls.recv().await {
        heard.insert(number);
    }
    heard
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: it goes on with the oldest that is still there.
async fn until_the_end(mut calls: Receiver<u32>) -> BTreeSet<u32> {
    let mut heard = BTreeSet::new();
    loop {
        match calls.recv().await {
            Ok(number) => _ = heard.insert(number),
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return heard,
        }
    }
}
// ANCHOR_END: fixed

/// What is heard of twelve calls, by one who comes late to eight of them.
async fn heard(
    hear: impl AsyncFn(Receiver<u32>) -> BTreeSet<u32>,
) -> anyhow::Result<BTreeSet<u32>> {
    let (call, calls) = channel(4);
    for number in 1..=12 {
        call.send(number)?;
    }
    drop(call);
    Ok(hear(calls).await)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let all = heard(until_an_error).await?;
    println!("until an error: {all:?}");
    assert_eq!(all, BTreeSet::new());

    let all = heard(until_the_end).await?;
    println!("until the end: {all:?}");
    assert_eq!(all, BTreeSet::from([9, 10, 11, 12]));
    Ok(())
}
// ANCHOR_END: all
