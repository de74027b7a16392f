// ANCHOR: all
use std::time::Duration;

use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

async fn carry_and_lose(belt: &mut Receiver<u32>, cart: &Sender<u32>) {
    while let Some(suitcase) = belt.recv().await {
        cart.send(suitcase).await.expect("a cart");
    }
}

/// A suitcase a second; nobody empties the cart while the porter is at work.
async fn check(patience: Duration, room: usize) {
    let ((feed, mut belt), (cart, mut loads)) = (channel(1), channel(room));
    let unload = tokio::spawn(async move {
        for suitcase in 1..=3 {
            sleep(SECOND).await;
            feed.send(suitcase).await.expect("a belt");
        }
    });
    let _ = timeout(patience, carry_and_lose(&mut belt, &cart)).await;
    drop(cart);
    let mut found = Vec::new();
    for side in [&mut loads, &mut belt] {
        while let Some(suitcase) = side.recv().await {
            found.push(suitcase);
        }
    }
    unload.await.expect("no panic");
    assert_eq!(found, [1, 2, 3], "sent home after {patience:?}");
}

// ANCHOR: broken
// Broken: after one and a half seconds the porter stands at the belt.
#[tokio::test(start_paused = true)]
async fn broken_one_moment_passes() {
    check(SECOND * 3 / 2, 1).await;
}

// Broken: with room for all three, no send ever waits.
#[tokio::test(start_paused = true)]
async fn broken_a_cart_with_room_passes() {
    for halves in 0..10 {
        check(SECOND * halves / 2, 3).await;
    }
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: little room, and every half second.
#[tokio::test(start_paused = true)]
#[should_panic(expected = "sent home after 2.5s\n  left: [1, 3]\n")]
async fn fixed_every_half_second_fails() {
    for halves in 0..10 {
        check(SECOND * halves / 2, 1).await;
    }
}
// ANCHOR_END: fixed
// ANCHOR_END: all
