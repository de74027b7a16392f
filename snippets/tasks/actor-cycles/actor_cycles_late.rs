// ANCHOR: all
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

const DAY: Duration = Duration::from_secs(86_400);

type Request = oneshot::Sender<u32>;

// ANCHOR: broken
async fn waits(place: mpsc::Permit<'_, Request>) -> Option<u32> {
    let (reply_tx, reply_rx) = oneshot::channel();
    place.send(reply_tx);
    reply_rx.await.ok()
}
// ANCHOR_END: broken

// ANCHOR: fixed
async fn looks(
    place: mpsc::Permit<'_, Request>,
    ended: &CancellationToken,
) -> Option<u32> {
    let (reply_tx, mut reply_rx) = oneshot::channel();
    place.send(reply_tx);
    tokio::select! {
        reply = &mut reply_rx => reply.ok(),
        () = ended.cancelled() => reply_rx.try_recv().ok(),
    }
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    // The receiver is dropped between the two halves of `send`.
    let (requests_tx, requests_rx) = mpsc::channel(8);
    let place = requests_tx.reserve().await?;
    drop(requests_rx);
    let reply = timeout(DAY, waits(place)).await;
    println!("waits for the reply: {reply:?}");
    assert!(reply.is_err() && requests_tx.is_closed());

    let (requests_tx, requests_rx) = mpsc::channel(8);
    let ended = CancellationToken::new();
    let start = Instant::now();
    let place = requests_tx.reserve().await?;
    drop((requests_rx, ended.clone().drop_guard()));
    let reply = looks(place, &ended).await;
    println!("and for the end of the actor: {reply:?}");
    assert_eq!((reply, start.elapsed()), (None, Duration::ZERO));

    // A reply that was sent before the end is received.
    // And one that is sent by an actor that goes on.
    for ends in [true, false].repeat(10) {
        let (requests_tx, mut requests_rx) = mpsc::channel::<Request>(8);
        let ended = CancellationToken::new();
        let place = requests_tx.reserve().await?;
        let actor = async {
            let request = requests_rx.recv().await.expect("a request");
            assert_eq!(request.send(7), Ok(()));
            if ends {
                ended.cancel();
            }
        };
        let looks = timeout(DAY, looks(place, &ended));
        let (reply, ()) = tokio::join!(looks, actor);
        assert_eq!(reply, Ok(Some(7)));
    }
    // `closed` comes too early: the actor has closed, and still serves.
    let (requests_tx, mut requests_rx) = mpsc::channel::<Request>(8);
    let (reply_tx, reply_rx) = oneshot::channel();
    requests_tx.send(reply_tx).await?;
    requests_rx.close();
    requests_tx.closed().await;
    let request = requests_rx.recv().await.expect("it was accepted");
    assert_eq!(request.send(7), Ok(()));
    assert_eq!(reply_rx.await?, 7);
    Ok(())
}
// ANCHOR_END: all
