// ANCHOR: all
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::sleep;

type Belt = Receiver<u32>;
type Cart = Sender<u32>;

// ANCHOR: carry
// ANCHOR: careful
/// Carries suitcases from the belt to the cart, until the belt ends.
async fn carry(belt: &mut Belt, cart: &Cart) {
    while let Ok(place) = cart.reserve().await {
        let Some(suitcase) = belt.recv().await else { return };
        place.send(suitcase);
    }
}
// ANCHOR_END: careful

// ANCHOR: careless
/// Does the same, it seems.
async fn carry_and_lose(belt: &mut Belt, cart: &Cart) {
    while let Some(suitcase) = belt.recv().await {
        cart.send(suitcase).await.expect("a loader");
    }
}
// ANCHOR_END: careless
// ANCHOR_END: carry

// ANCHOR: drop
/// Drops the work in its n-th wait: at once, or when it is woken from it.
/// Returns whether it came to its end before.
async fn drop_in_wait(n: u32, when_woken: bool, work: impl Future) -> bool {
    let (mut work, mut waits) = (pin!(work), 0);
    poll_fn(|context| {
        if waits == n {
            return Poll::Ready(false); // woken, or not even begun
        }
        if work.as_mut().poll(context).is_ready() {
            return Poll::Ready(true);
        }
        waits += 1;
        let now = waits == n && !when_woken;
        if now { Poll::Ready(false) } else { Poll::Pending }
    })
    .await
}
// ANCHOR_END: drop

async fn unload(belt: Sender<u32>) {
    for suitcase in 1..=3 {
        sleep(Duration::from_secs(1)).await;
        belt.send(suitcase).await.expect("a belt");
    }
}

async fn load(mut cart: Receiver<u32>) -> Vec<u32> {
    let mut hold = Vec::new();
    while let Some(suitcase) = cart.recv().await {
        hold.push(suitcase);
        sleep(Duration::from_secs(5)).await;
    }
    hold
}

// ANCHOR: check
/// Sends the porter home in every wait; returns how many there are.
async fn check(carry: impl AsyncFn(&mut Belt, &Cart), woken: bool) -> u32 {
    for n in 0.. {
        let ((feed, mut belt), (cart, loads)) = (channel(1), channel(1));
        let unload = tokio::spawn(unload(feed));
        let load = tokio::spawn(load(loads));
        let ended = drop_in_wait(n, woken, carry(&mut belt, &cart)).await;

        // ANCHOR: found
        drop(cart);
        let mut found = load.await.expect("no panic");
        while let Some(suitcase) = belt.recv().await {
            found.push(suitcase);
        }
        // ANCHOR_END: found
        unload.await.expect("no panic");
        assert_eq!(found, [1, 2, 3], "sent home in wait {n}");
        if ended {
            return n - 1;
        }
    }
    unreachable!("it ends")
}

// ANCHOR: not_lost
#[tokio::test(start_paused = true)]
async fn no_suitcase_is_lost() {
    assert_eq!(check(carry, false).await, 5);
    assert_eq!(check(carry, true).await, 5);
}
// ANCHOR_END: not_lost

// ANCHOR: lost
#[tokio::test(start_paused = true)]
#[should_panic(expected = "sent home in wait 4\n  left: [1, 2]\n")]
async fn a_suitcase_is_lost() {
    check(carry_and_lose, false).await;
}
// ANCHOR_END: lost
// ANCHOR_END: check
// ANCHOR_END: all
