// ANCHOR: all
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep};

const MINUTE: Duration = Duration::from_secs(60);

type Coat = &'static str;

enum Request {
    Count(oneshot::Sender<usize>),
    Fetch(oneshot::Sender<Option<Coat>>),
}

async fn fetch(coat: Option<Coat>) -> Option<Coat> {
    sleep(3 * MINUTE).await; // from the cellar
    coat
}

// ANCHOR: broken
// Broken: while it walks, nobody is at the counter.
async fn walks(mut requests: mpsc::Receiver<Request>, mut coats: Vec<Coat>) {
    while let Some(request) = requests.recv().await {
        match request {
            Request::Count(answer) => _ = answer.send(coats.len()),
            Request::Fetch(answer) => {
                let coat = fetch(coats.pop()).await;
                coats.extend(answer.send(coat).err().flatten());
            }
        }
    }
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: porters walk, four at the most. The coats are in one hand still.
async fn sends(mut requests: mpsc::Receiver<Request>, mut coats: Vec<Coat>) {
    let mut porters = JoinSet::new();
    loop {
        tokio::select! {
            Some(back) = porters.join_next() => {
                coats.extend(back.expect("no panic"));
            }
            Some(request) = requests.recv(), if porters.len() < 4 => {
                match request {
                    Request::Count(answer) => _ = answer.send(coats.len()),
                    Request::Fetch(answer) => {
                        let walk = fetch(coats.pop());
                        porters.spawn(async {
                            answer.send(walk.await).err().flatten()
                        });
                    }
                }
            }
            else => break,
        }
    }
}
// ANCHOR_END: fixed

/// How long until two have a coat, and a third knows how many are left.
async fn evening(
    room: mpsc::Sender<Request>,
    attendant: JoinHandle<()>,
) -> anyhow::Result<[u64; 3]> {
    let start = Instant::now();
    let minutes = || start.elapsed().as_secs() / 60;
    let fetch = async || {
        let (answer, coat) = oneshot::channel();
        room.send(Request::Fetch(answer)).await?;
        assert!(coat.await?.is_some());
        anyhow::Ok(minutes())
    };
    let count = async {
        let (answer, number) = oneshot::channel();
        room.send(Request::Count(answer)).await?;
        assert_eq!(number.await?, 1);
        anyhow::Ok(minutes())
    };
    let (first, second, count) = tokio::try_join!(fetch(), fetch(), count)?;
    drop(room);
    attendant.await?;
    Ok([first, second, count])
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let coats = || vec!["a fur", "a cape", "a mac"];
    let (room, requests) = mpsc::channel(8);
    let took = evening(room, tokio::spawn(walks(requests, coats()))).await?;
    println!("walks: {took:?} min");
    assert_eq!(took, [3, 6, 6]);

    let (room, requests) = mpsc::channel(8);
    let took = evening(room, tokio::spawn(sends(requests, coats()))).await?;
    println!("sends: {took:?} min");
    assert_eq!(took, [3, 3, 0]);
    Ok(())
}
// ANCHOR_END: all
