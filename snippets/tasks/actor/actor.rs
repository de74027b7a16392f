// ANCHOR: all
use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep};

const MINUTE: Duration = Duration::from_secs(60);

type Coat = &'static str;
type Rail = BTreeMap<u32, Coat>;

// ANCHOR: request
/// What one can ask for. Each request brings the way back for its answer.
enum Request {
    Leave(Coat, oneshot::Sender<u32>),
    Fetch(u32, oneshot::Sender<Option<Coat>>),
}
// ANCHOR_END: request

#[derive(Debug, thiserror::Error)]
#[error("the cloakroom is closed")]
struct Closed;

// ANCHOR: handle
/// The counter. It is open as long as somebody holds one of these.
#[derive(Clone)]
struct Cloakroom(mpsc::Sender<Request>);

impl Cloakroom {
    fn open() -> (Self, JoinHandle<Rail>) {
        let (sender, requests) = mpsc::channel(8);
        (Self(sender), tokio::spawn(attend(requests)))
    }

    // ANCHOR: ask
    async fn ask<T>(
        &self,
        request: impl FnOnce(oneshot::Sender<T>) -> Request,
    ) -> Result<T, Closed> {
        let (answer, mut answered) = oneshot::channel();
        self.0.send(request(answer)).await.map_err(|_| Closed)?;
        let answer = tokio::select! {
            biased;
            answer = &mut answered => answer.ok(),
            () = self.0.closed() => answered.try_recv().ok(),
        };
        answer.ok_or(Closed)
    }
    // ANCHOR_END: ask

    async fn leave(&self, coat: Coat) -> Result<u32, Closed> {
        self.ask(|answer| Request::Leave(coat, answer)).await
    }

    async fn fetch(&self, ticket: u32) -> Result<Option<Coat>, Closed> {
        self.ask(|answer| Request::Fetch(ticket, answer)).await
    }
}
// ANCHOR_END: handle

// ANCHOR: attend
async fn attend(mut requests: mpsc::Receiver<Request>) -> Rail {
    let (mut rail, mut last) = (Rail::new(), 0);
    while let Some(request) = requests.recv().await {
        sleep(MINUTE).await; // to the rail and back
        match request {
            Request::Leave(coat, answer) => {
                last += 1;
                rail.insert(last, coat);
                _ = answer.send(last);
            }
            Request::Fetch(ticket, answer) => {
                if let Err(Some(coat)) = answer.send(rail.remove(&ticket)) {
                    rail.insert(ticket, coat); // the guest has gone
                }
            }
        }
    }
    rail
}
// ANCHOR_END: attend

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let start = Instant::now();
    // ANCHOR: open
    let (room, attendant) = Cloakroom::open();
    // ANCHOR_END: open
    // ANCHOR: guests
    let mut guests = JoinSet::new();
    for coat in ["a fur", "a cape", "a mac"] {
        let room = room.clone();
        guests.spawn(async move { (room.leave(coat).await, coat) });
    }
    while let Some(guest) = guests.join_next().await {
        let (ticket, coat) = guest?;
        println!("{:?}: ticket {}, {coat}", start.elapsed(), ticket?);
    }
    assert_eq!(room.fetch(2).await?, Some("a cape"));
    // ANCHOR_END: guests
    // ANCHOR: close
    drop(room); // the last one
    let left = attendant.await?;
    // ANCHOR_END: close
    println!("{:?}: closed, with {left:?}", start.elapsed());
    assert_eq!(left, Rail::from([(1, "a fur"), (3, "a mac")]));
    assert_eq!(start.elapsed(), 4 * MINUTE);
    Ok(())
}
// ANCHOR_END: all
