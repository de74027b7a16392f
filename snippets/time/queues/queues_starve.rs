// ANCHOR: all
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use tokio::time::{Instant, sleep};

const MINUTE: Duration = Duration::from_secs(60);

/// A cat whose claws are too long; then something worse every ten minutes,
/// which is as long as each of them takes. `rank` says who is first: the least.
/// The hour in which it is the cat's turn, if it is one of the first day.
async fn cats_turn(rank: impl Fn(u64, u64) -> u64) -> Option<u64> {
    let (start, mut room) = (Instant::now(), BinaryHeap::new());
    room.push(Reverse((rank(0, 3), 0, "cat")));
    for number in 1..=24 * 6 {
        let minute = start.elapsed().as_secs() / 60;
        room.push(Reverse((rank(minute, 1), number, "dog")));
        let Reverse((_, _, patient)) = room.pop()?;
        if patient == "cat" {
            return Some(minute / 60);
        }
        sleep(10 * MINUTE).await;
    }
    None
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    // ANCHOR: broken
    // Broken: there is always somebody who is more urgent.
    let turn = cats_turn(|_came, urgency| urgency).await;
    println!("by urgency: the cat's hour is {turn:?}");
    assert_eq!(turn, None);
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: by the minute until which it can wait. It is the same all the
    // time, as what lies in a heap has to be, and everybody's comes.
    let turn =
        cats_turn(|came, urgency| came + [0, 0, 60, 240][urgency as usize]);
    let turn = turn.await;
    println!("by when it must be: {turn:?}");
    assert_eq!(turn, Some(4));
    // ANCHOR_END: fixed
}
// ANCHOR_END: all
