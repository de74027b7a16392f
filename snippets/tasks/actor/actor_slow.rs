// ANCHOR: all
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep};

enum Request {
    Render(u32, oneshot::Sender<String>),
    Count(oneshot::Sender<u32>),
}

async fn render(parcel: u32) -> String {
    sleep(Duration::from_secs(u64::from(parcel % 10))).await;
    assert_ne!(parcel, 13, "a comma in the address");
    format!("label {parcel}")
}

// ANCHOR: broken
async fn waits(mut requests_rx: mpsc::Receiver<Request>) {
    let mut count = 0;
    while let Some(request) = requests_rx.recv().await {
        match request {
            Request::Count(reply_tx) => _ = reply_tx.send(count),
            Request::Render(parcel, reply_tx) => {
                _ = reply_tx.send(render(parcel).await);
                count += 1;
            }
        }
    }
}
// ANCHOR_END: broken

// ANCHOR: fixed
async fn spawns(mut requests_rx: mpsc::Receiver<Request>) {
    let mut renders = JoinSet::<(String, oneshot::Sender<_>)>::new();
    let mut count = 0;
    loop {
        tokio::select! {
            Some(end) = renders.join_next() => {
                let Ok((label, reply_tx)) = end else { continue }; // a panic
                count += 1;
                _ = reply_tx.send(label);
            }
            Some(request) = requests_rx.recv(), if renders.len() < 4 => {
                match request {
                    Request::Count(reply_tx) => _ = reply_tx.send(count),
                    Request::Render(parcel, reply_tx) => _ = renders.spawn(
                        async move { (render(parcel).await, reply_tx) },
                    ),
                }
            }
            else => break, // the channel is closed, and no task is left
        }
    }
}
// ANCHOR_END: fixed

async fn count(requests_tx: &mpsc::Sender<Request>) -> anyhow::Result<u32> {
    let (reply_tx, reply_rx) = oneshot::channel();
    requests_tx.send(Request::Count(reply_tx)).await?;
    Ok(reply_rx.await?)
}

/// Labels for the parcels, whose last digit is the time in seconds, and then
/// the count: when each reply comes. A caller that has its label is counted.
async fn requests(
    parcels: &[u32],
    requests_tx: mpsc::Sender<Request>,
    actor: JoinHandle<()>,
) -> anyhow::Result<(Vec<Option<u64>>, u64, u32)> {
    let start = Instant::now();
    let (mut callers, labels) = (Vec::new(), Arc::<AtomicU32>::default());
    for parcel in parcels {
        let (reply_tx, reply_rx) = oneshot::channel();
        requests_tx.send(Request::Render(*parcel, reply_tx)).await?;
        let expected = format!("label {parcel}");
        let (labels, requests_tx) = (Arc::clone(&labels), requests_tx.clone());
        callers.push(tokio::spawn(async move {
            let label = reply_rx.await.ok()?;
            let seconds = start.elapsed().as_secs();
            assert_eq!(label, expected);
            let labels = labels.fetch_add(1, Relaxed) + 1;
            assert!(count(&requests_tx).await.ok()? >= labels);
            Some(seconds)
        }));
    }
    assert!(count(&requests_tx).await? <= 3);
    let counted = start.elapsed().as_secs();
    let mut ends = Vec::new();
    for caller in callers {
        ends.push(caller.await?);
    }
    sleep(Duration::from_secs(1)).await;
    let rendered = count(&requests_tx).await?;
    drop(requests_tx);
    actor.await?;
    Ok((ends, counted, rendered))
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: waiting
    let (requests_tx, requests_rx) = mpsc::channel(8);
    let actor = tokio::spawn(waits(requests_rx));
    let (labels, count, _) = requests(&[3, 2], requests_tx, actor).await?;
    // ANCHOR_END: waiting
    println!("waits: labels {labels:?}, count {count} s");
    assert_eq!((labels, count), (vec![Some(3), Some(5)], 5));

    // ANCHOR: spawning
    let (requests_tx, requests_rx) = mpsc::channel(8);
    let actor = tokio::spawn(spawns(requests_rx));
    let (labels, count, _) = requests(&[3, 2], requests_tx, actor).await?;
    // ANCHOR_END: spawning
    println!("spawns: labels {labels:?}, count {count} s");
    assert_eq!((labels, count), (vec![Some(3), Some(2)], 0));

    // Five at once, one of which panics: four run, and then the fifth.
    let panics = tokio::spawn(async { drop(render(13).await) });
    assert!(panics.await.is_err_and(|error| error.is_panic()));
    let (requests_tx, requests_rx) = mpsc::channel(8);
    let actor = tokio::spawn(spawns(requests_rx));
    let parcels = [3, 13, 2, 4, 5];
    let (labels, count, rendered) =
        requests(&parcels, requests_tx, actor).await?;
    println!("one panics: labels {labels:?}, count {count} s");
    assert_eq!(labels, [Some(3), None, Some(2), Some(4), Some(7)]);
    assert_eq!((count, rendered), (3, 4));

    let (requests_tx, requests_rx) = mpsc::channel(8);
    let actor = tokio::spawn(spawns(requests_rx));
    let (reply_tx, reply_rx) = oneshot::channel();
    requests_tx.send(Request::Render(9, reply_tx)).await?;
    drop(requests_tx);
    assert_eq!(reply_rx.await?, "label 9", "the actor waits for its tasks");
    actor.await?;
    Ok(())
}
// ANCHOR_END: all
