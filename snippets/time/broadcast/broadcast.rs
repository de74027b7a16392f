// ANCHOR: all
use std::time::Duration;

use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::watch;
use tokio::time::sleep;

const SECOND: Duration = Duration::from_secs(1);

// ANCHOR: hear
/// Hears every call, and counts those that it was too slow for.
async fn hear(
    mut calls: broadcast::Receiver<u32>,
    pace: Duration,
) -> (Vec<u32>, u64) {
    let (mut heard, mut missed) = (Vec::new(), 0);
    loop {
        match calls.recv().await {
            Ok(number) => heard.push(number),
            Err(RecvError::Lagged(count)) => missed += count,
            Err(RecvError::Closed) => return (heard, missed),
        }
        sleep(pace).await;
    }
}
// ANCHOR_END: hear

// ANCHOR: look
/// Sees the board as it is, whenever there is time to look.
async fn look(mut board: watch::Receiver<u32>, pace: Duration) -> Vec<u32> {
    let mut seen = Vec::new();
    while board.changed().await.is_ok() {
        seen.push(*board.borrow_and_update());
        sleep(pace).await;
    }
    seen
}
// ANCHOR_END: look

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let (call, quick) = broadcast::channel(4);
    let (board, camera) = watch::channel(0);
    let slow = tokio::spawn(hear(call.subscribe(), 3 * SECOND));
    let quick = tokio::spawn(hear(quick, Duration::ZERO));
    let camera = tokio::spawn(look(camera, 3 * SECOND));

    for number in 1..=12 {
        sleep(SECOND).await;
        // ANCHOR: send
        _ = call.send(number); // an error says that nobody listens
        board.send_replace(number);
        // ANCHOR_END: send
    }
    drop((call, board));

    let (heard, missed) = quick.await?;
    println!("the quick one hears {heard:?}");
    assert!((1..=12).eq(heard) && missed == 0);

    let (heard, missed) = slow.await?;
    println!("the slow one hears {heard:?}, misses {missed}");
    assert_eq!(heard.len() as u64 + missed, 12);

    let seen = camera.await?;
    println!("the camera sees {seen:?}");
    assert_eq!(seen.last(), Some(&12));
    Ok(())
}
// ANCHOR_END: all
