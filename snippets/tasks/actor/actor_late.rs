// ANCHOR: all
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout};

const DAY: Duration = Duration::from_secs(86_400);

type Room = mpsc::Sender<oneshot::Sender<u32>>;

/// The attendant goes between the guest's turn and the guest's question.
async fn ask_too_late() -> anyhow::Result<(Room, oneshot::Receiver<u32>)> {
    let (room, requests) = mpsc::channel(8);
    let (answer, answered) = oneshot::channel();
    let turn = room.reserve().await?;
    drop(requests);
    turn.send(answer);
    Ok((room, answered))
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: broken
    // Broken: the question lies in the channel, and the way back with it.
    let (room, answered) = ask_too_late().await?;
    let answer = timeout(DAY, answered).await;
    println!("waits for the answer: {answer:?}");
    assert!(answer.is_err() && room.is_closed());
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: the end of the attendant ends the wait. An answer that he has
    // given before is still taken.
    let start = Instant::now();
    let (room, mut answered) = ask_too_late().await?;
    let answer = tokio::select! {
        biased;
        answer = &mut answered => answer.ok(),
        () = room.closed() => answered.try_recv().ok(),
    };
    println!("and for the end: {answer:?}");
    assert_eq!((answer, start.elapsed()), (None, Duration::ZERO));
    // ANCHOR_END: fixed
    Ok(())
}
// ANCHOR_END: all
