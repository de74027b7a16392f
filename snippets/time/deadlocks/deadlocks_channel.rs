// ANCHOR: all
use std::time::Duration;

use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::timeout;

const DAY: Duration = Duration::from_secs(86_400);

// ANCHOR: broken
// Broken: a third wagon waits for room, and who would make room is waiting.
async fn first_all_in(
    train: u32,
    siding: Sender<u32>,
    mut end: Receiver<u32>,
) -> u32 {
    for wagon in 1..=train {
        siding.send(wagon).await.expect("`end` is there");
    }
    drop(siding);
    let mut wagons = 0;
    while end.recv().await.is_some() {
        wagons += 1;
    }
    wagons
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: both ends at the same time.
async fn in_and_out(
    train: u32,
    siding: Sender<u32>,
    mut end: Receiver<u32>,
) -> u32 {
    let into = async move {
        for wagon in 1..=train {
            siding.send(wagon).await.expect("`end` is there");
        }
    };
    let out = async {
        let mut wagons = 0;
        while end.recv().await.is_some() {
            wagons += 1;
        }
        wagons
    };
    tokio::join!(into, out).1
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let (siding, end) = channel(2);
    let wagons = timeout(DAY, first_all_in(2, siding, end)).await;
    println!("first all in, two wagons: {wagons:?}");
    assert_eq!(wagons, Ok(2));

    let (siding, end) = channel(2);
    let wagons = timeout(DAY, first_all_in(3, siding, end)).await;
    println!("first all in, three: {wagons:?}");
    assert!(wagons.is_err());

    let (siding, end) = channel(2);
    let wagons = timeout(DAY, in_and_out(3, siding, end)).await;
    println!("in and out, three: {wagons:?}");
    assert_eq!(wagons, Ok(3));
}
// ANCHOR_END: all
