// ANCHOR: all
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

const DAY: Duration = Duration::from_secs(86_400);

enum Request {
    Count(oneshot::Sender<usize>),
    IsFull(oneshot::Sender<bool>),
}

type Requests = mpsc::Sender<Request>;

async fn ask<T>(
    requests_tx: &Requests,
    request: impl FnOnce(oneshot::Sender<T>) -> Request,
) -> T {
    let (reply_tx, reply_rx) = oneshot::channel();
    requests_tx.send(request(reply_tx)).await.expect("it runs");
    reply_rx.await.expect("it runs")
}

// ANCHOR: broken
async fn asks_itself(
    mut requests_rx: mpsc::Receiver<Request>,
    own_tx: Requests,
) {
    let parcels = vec![7; 100];
    while let Some(request) = requests_rx.recv().await {
        match request {
            Request::Count(reply_tx) => _ = reply_tx.send(parcels.len()),
            Request::IsFull(reply_tx) => {
                let count = ask(&own_tx, Request::Count).await; // forever
                _ = reply_tx.send(count >= 100);
            }
        }
    }
}
// ANCHOR_END: broken

// ANCHOR: fixed
async fn looks(
    mut requests_rx: mpsc::Receiver<Request>,
    _own_tx: mpsc::WeakSender<Request>,
) {
    let parcels = vec![7; 100];
    while let Some(request) = requests_rx.recv().await {
        match request {
            Request::Count(reply_tx) => _ = reply_tx.send(parcels.len()),
            Request::IsFull(reply_tx) => {
                _ = reply_tx.send(parcels.len() >= 100)
            }
        }
    }
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let (requests_tx, requests_rx) = mpsc::channel(8);
    let mut actor = tokio::spawn(asks_itself(requests_rx, requests_tx.clone()));
    assert_eq!(timeout(DAY, ask(&requests_tx, Request::Count)).await, Ok(100));
    drop(requests_tx);
    let end = timeout(DAY, &mut actor).await;
    println!("it holds a sender itself: {end:?}");
    assert!(end.is_err(), "it waits for itself");
    actor.abort();
    assert!(actor.await.is_err_and(|error| error.is_cancelled()));

    let (requests_tx, requests_rx) = mpsc::channel(8);
    let actor = tokio::spawn(asks_itself(requests_rx, requests_tx.clone()));
    let full = timeout(DAY, ask(&requests_tx, Request::IsFull)).await;
    println!("it asks itself: {full:?}");
    assert!(full.is_err());
    actor.abort();
    assert!(actor.await.is_err_and(|error| error.is_cancelled()));

    let (requests_tx, requests_rx) = mpsc::channel(8);
    let weak_tx = requests_tx.downgrade();
    let actor = tokio::spawn(looks(requests_rx, weak_tx.clone()));
    assert_eq!(timeout(DAY, ask(&requests_tx, Request::Count)).await, Ok(100));
    let full = timeout(DAY, ask(&requests_tx, Request::IsFull)).await;
    println!("it looks: {full:?}");
    assert_eq!(full, Ok(true));
    drop(requests_tx);
    timeout(DAY, actor).await??;
    assert!(weak_tx.upgrade().is_none(), "the last sender is dropped");
    Ok(())
}
// ANCHOR_END: all
