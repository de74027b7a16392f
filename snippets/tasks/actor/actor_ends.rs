// ANCHOR: all
use tokio::sync::{mpsc, oneshot};
use tokio::task::yield_now;
use tokio::time::Instant;

type Request = (&'static str, oneshot::Sender<usize>);

#[derive(Debug, PartialEq, thiserror::Error)]
#[error("the cloakroom is closed")]
struct Closed;

/// The answer will come where this leads.
async fn ask(
    room: &mpsc::Sender<Request>,
    coat: &'static str,
) -> Result<oneshot::Receiver<usize>, Closed> {
    let (answer, answered) = oneshot::channel();
    room.send((coat, answer)).await.map_err(|_| Closed)?;
    Ok(answered)
}

async fn leave(
    room: &mpsc::Sender<Request>,
    coat: &'static str,
) -> Result<usize, Closed> {
    ask(room, coat).await?.await.map_err(|_| Closed)
}

async fn attend(mut requests: mpsc::Receiver<Request>) -> usize {
    let mut coats = 0;
    while let Some((coat, answer)) = requests.recv().await {
        if coat == "a swan" {
            panic!("it bites");
        }
        coats += 1;
        yield_now().await; // to the rail and back
        _ = answer.send(coats);
    }
    coats
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: drained
    // Closed: the last handle is gone. What is in the queue is done first.
    let (room, requests) = mpsc::channel(8);
    let (fur, cape) = (ask(&room, "a fur").await?, ask(&room, "a cape").await?);
    drop(room);
    let attendant = tokio::spawn(attend(requests));
    let answers = tokio::join!(fur, cape);
    println!("closed: {answers:?}");
    assert_eq!(answers, (Ok(1), Ok(2)));
    assert_eq!(attendant.await?, 2);
    // ANCHOR_END: drained

    // ANCHOR: died
    // Dead: who is served, who stands in the queue, who does not fit into
    // it, and who comes later: an error for each, and at once.
    let start = Instant::now();
    let (room, requests) = mpsc::channel(2);
    let attendant = tokio::spawn(attend(requests));
    let answers = tokio::join!(
        leave(&room, "a fur"),
        leave(&room, "a swan"),
        leave(&room, "a cape"),
        leave(&room, "a mac"),
    );
    println!("dead: {answers:?}");
    assert_eq!(answers, (Ok(1), Err(Closed), Err(Closed), Err(Closed)));
    assert_eq!(leave(&room, "a boa").await, Err(Closed));
    assert_eq!(start.elapsed().as_nanos(), 0);
    let error = attendant.await.expect_err("a swan");
    println!("who joins it: {error}");
    assert!(error.is_panic());
    // ANCHOR_END: died
    Ok(())
}
// ANCHOR_END: all
