// ANCHOR: all
use std::collections::BTreeSet;

use tokio::sync::mpsc::{Receiver, channel};
use tokio_util::sync::CancellationToken;

// ANCHOR: broken
// Broken: as long as there are telegrams, nobody looks at the second arm.
async fn telegrams_first(
    wire: &mut Receiver<u32>,
    closing: CancellationToken,
) -> u32 {
    let mut passed = 0;
    loop {
        tokio::select! {
            biased;
            Some(_) = wire.recv() => passed += 1,
            () = closing.cancelled() => return passed,
        }
    }
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: what comes seldom and must be heard stands first.
async fn closing_first(
    wire: &mut Receiver<u32>,
    closing: CancellationToken,
) -> u32 {
    let mut passed = 0;
    loop {
        tokio::select! {
            biased;
            () = closing.cancelled() => return passed,
            Some(_) = wire.recv() => passed += 1,
        }
    }
}
// ANCHOR_END: fixed

/// Without `biased`, chance says who comes first.
async fn by_chance(
    wire: &mut Receiver<u32>,
    closing: CancellationToken,
) -> u32 {
    let mut passed = 0;
    loop {
        tokio::select! {
            () = closing.cancelled() => return passed,
            Some(_) = wire.recv() => passed += 1,
        }
    }
}

/// A thousand telegrams are there, and the office is to close.
async fn passed(
    office: impl AsyncFn(&mut Receiver<u32>, CancellationToken) -> u32,
) -> u32 {
    let (send, mut wire) = channel(1_000);
    for telegram in 1..=1_000 {
        send.try_send(telegram).expect("room for a thousand");
    }
    let closing = CancellationToken::new();
    closing.cancel();
    office(&mut wire, closing).await
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let late = passed(telegrams_first).await;
    println!("telegrams first: closes after {late}");
    assert_eq!(late, 1_000);

    let early = passed(closing_first).await;
    println!("closing first: closes after {early}");
    assert_eq!(early, 0);

    let mut seen = BTreeSet::new();
    for _ in 0..100 {
        seen.insert(passed(by_chance).await.min(1));
    }
    println!("by chance: at once, and later");
    assert_eq!(seen, BTreeSet::from([0, 1]));
}
// ANCHOR_END: all
