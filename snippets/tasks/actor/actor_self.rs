// ANCHOR: all
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

const DAY: Duration = Duration::from_secs(86_400);

enum Request {
    Count(oneshot::Sender<usize>),
    IsFull(oneshot::Sender<bool>),
}

type Room = mpsc::Sender<Request>;

async fn ask<T>(
    room: &Room,
    request: impl FnOnce(oneshot::Sender<T>) -> Request,
) -> T {
    let (answer, answered) = oneshot::channel();
    room.send(request(answer)).await.expect("it is open");
    answered.await.expect("it is open")
}

// ANCHOR: broken
// Broken: it queues at its own counter, and it never closes.
async fn asks_itself(mut requests: mpsc::Receiver<Request>, own: Room) {
    let coats = vec!["a fur"; 100];
    while let Some(request) = requests.recv().await {
        match request {
            Request::Count(answer) => _ = answer.send(coats.len()),
            Request::IsFull(answer) => {
                let count = ask(&own, Request::Count).await;
                _ = answer.send(count >= 100);
            }
        }
    }
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: it looks for itself, and its own handle does not count.
async fn looks(
    mut requests: mpsc::Receiver<Request>,
    own: mpsc::WeakSender<Request>,
) {
    let coats = vec!["a fur"; 100];
    while let Some(request) = requests.recv().await {
        match request {
            Request::Count(answer) => _ = answer.send(coats.len()),
            Request::IsFull(answer) => _ = answer.send(coats.len() >= 100),
        }
    }
    assert!(own.upgrade().is_none(), "the last one is gone");
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let (room, requests) = mpsc::channel(8);
    let mut attendant = tokio::spawn(asks_itself(requests, room.clone()));
    assert_eq!(timeout(DAY, ask(&room, Request::Count)).await, Ok(100));
    drop(room);
    let end = timeout(DAY, &mut attendant).await;
    println!("nobody holds a handle but itself: {end:?}");
    assert!(end.is_err(), "it waits for itself");
    attendant.abort();
    assert!(attendant.await.is_err_and(|error| error.is_cancelled()));

    let (room, requests) = mpsc::channel(8);
    let attendant = tokio::spawn(asks_itself(requests, room.clone()));
    let full = timeout(DAY, ask(&room, Request::IsFull)).await;
    println!("it asks itself: {full:?}");
    assert!(full.is_err());
    attendant.abort();
    assert!(attendant.await.is_err_and(|error| error.is_cancelled()));

    let (room, requests) = mpsc::channel(8);
    let attendant = tokio::spawn(looks(requests, room.downgrade()));
    let full = timeout(DAY, ask(&room, Request::IsFull)).await;
    println!("it looks: {full:?}");
    assert_eq!(full, Ok(true));
    drop(room);
    timeout(DAY, attendant).await??;
    Ok(())
}
// ANCHOR_END: all
