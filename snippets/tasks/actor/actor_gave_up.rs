// ANCHOR: all
use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout};

const MINUTE: Duration = Duration::from_secs(60);

type Answer = oneshot::Sender<Option<&'static str>>;
type Requests = mpsc::Receiver<(u32, Answer)>;
type Rail = BTreeMap<u32, &'static str>;

// ANCHOR: broken
// Broken: the coat is off the rail, and nobody has it.
async fn careless(mut requests: Requests, mut rail: Rail) {
    while let Some((ticket, answer)) = requests.recv().await {
        let coat = rail.remove(&ticket);
        sleep(MINUTE).await;
        _ = answer.send(coat);
    }
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: looks up before each walk, and takes back what nobody takes.
async fn careful(mut requests: Requests, mut rail: Rail) {
    while let Some((ticket, answer)) = requests.recv().await {
        if answer.is_closed() {
            continue;
        }
        let coat = rail.remove(&ticket);
        sleep(MINUTE).await;
        if let Err(Some(coat)) = answer.send(coat) {
            rail.insert(ticket, coat);
        }
    }
}
// ANCHOR_END: fixed

async fn fetch(
    room: &mpsc::Sender<(u32, Answer)>,
    ticket: u32,
) -> Option<&'static str> {
    let (answer, answered) = oneshot::channel();
    room.send((ticket, answer)).await.expect("it is open");
    answered.await.expect("it is open")
}

/// Asks twice and gives up, then asks once more.
async fn guest<F>(
    attend: impl FnOnce(Requests, Rail) -> F,
) -> anyhow::Result<(Option<&'static str>, Duration)>
where
    F: Future<Output = ()> + Send + 'static,
{
    let start = Instant::now();
    let (room, requests) = mpsc::channel(8);
    let attendant = tokio::spawn(attend(requests, [(1, "a fur")].into()));
    for _ in 0..2 {
        let patience = timeout(MINUTE / 4, fetch(&room, 1)).await;
        assert!(patience.is_err());
    }
    let coat = fetch(&room, 1).await;
    drop(room);
    attendant.await?;
    Ok((coat, start.elapsed()))
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let (coat, took) = guest(careless).await?;
    println!("careless: {coat:?} after {took:?}");
    assert_eq!((coat, took), (None, 3 * MINUTE));

    let (coat, took) = guest(careful).await?;
    println!("careful: {coat:?} after {took:?}");
    assert_eq!((coat, took), (Some("a fur"), 2 * MINUTE));

    // Too late for both: he goes when it is sent, and before he looks.
    let (answer, answered) = oneshot::channel();
    let sent = answer.send("a fur");
    drop(answered);
    println!("sent, and not read: {sent:?}");
    assert_eq!(sent, Ok(()), "nobody has the fur, and nobody knows");
    Ok(())
}
// ANCHOR_END: all
