// ANCHOR: all
use std::collections::BTreeSet;

use tokio::sync::mpsc::{Receiver, channel};
use tokio_util::sync::CancellationToken;

// ANCHOR: broken
async fn scans_first(
    scans_rx: &mut Receiver<u32>,
    token: CancellationToken,
) -> usize {
    let mut handled = 0;
    loop {
        tokio::select! {
            biased;
            Some(_) = scans_rx.recv() => handled += 1,
            () = token.cancelled() => return handled,
        }
    }
}
// ANCHOR_END: broken

async fn token_first(
    scans_rx: &mut Receiver<u32>,
    token: CancellationToken,
) -> usize {
    let mut handled = 0;
    loop {
        // ANCHOR: fixed
        tokio::select! {
            biased;
            () = token.cancelled() => return handled,
            Some(_) = scans_rx.recv() => handled += 1,
        }
        // ANCHOR_END: fixed
    }
}

async fn at_random(
    scans_rx: &mut Receiver<u32>,
    token: CancellationToken,
) -> usize {
    let mut handled = 0;
    loop {
        tokio::select! {
            () = token.cancelled() => return handled,
            Some(_) = scans_rx.recv() => handled += 1,
        }
    }
}

/// How many of a thousand scans are handled after the token is cancelled.
async fn handled(
    service: impl AsyncFn(&mut Receiver<u32>, CancellationToken) -> usize,
) -> usize {
    let (scans_tx, mut scans_rx) = channel(1_000);
    for scan in 1..=1_000 {
        scans_tx.try_send(scan).expect("a place for a thousand");
    }
    let token = CancellationToken::new();
    token.cancel();
    service(&mut scans_rx, token).await
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let late = handled(scans_first).await;
    println!("scans first: {late} handled after the stop");
    assert_eq!(late, 1_000);

    let early = handled(token_first).await;
    println!("token first: {early} handled after the stop");
    assert_eq!(early, 0);
    for _ in 0..50 {
        assert_eq!(handled(token_first).await, 0, "and not by chance");
    }

    let (scans_tx, mut scans_rx) = channel(3);
    for scan in 1..=3 {
        scans_tx.try_send(scan).expect("a place for three");
    }
    let token = CancellationToken::new();
    let service = token_first(&mut scans_rx, token.clone());
    let (handled_before, ()) = tokio::join!(service, async { token.cancel() });
    assert_eq!(handled_before, 3, "stopped when it waits");

    let mut seen = BTreeSet::new();
    for _ in 0..100 {
        seen.insert(handled(at_random).await.min(1));
    }
    println!("at random: none, or some");
    assert_eq!(seen, BTreeSet::from([0, 1]));
}
// ANCHOR_END: all
