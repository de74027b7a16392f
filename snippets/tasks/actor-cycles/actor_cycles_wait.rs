// ANCHOR: all
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

const DAY: Duration = Duration::from_secs(86_400);

type Depot = mpsc::Sender<Find>;

struct Find {
    parcel: u32,
    passed_on: bool,
    reply_tx: oneshot::Sender<&'static str>,
}

async fn depot(
    parcel: u32,
    mut requests_rx: mpsc::Receiver<Find>,
    next_tx: Depot,
    elsewhere: impl AsyncFn(&Depot, Find),
) {
    while let Some(mut find) = requests_rx.recv().await {
        if find.parcel == parcel {
            _ = find.reply_tx.send("here");
        } else if find.passed_on {
            _ = find.reply_tx.send("unknown");
        } else {
            find.passed_on = true;
            elsewhere(&next_tx, find).await;
        }
    }
}

// ANCHOR: broken_ask
async fn asks(next_tx: &Depot, find: Find) {
    let (reply_tx, reply_rx) = oneshot::channel();
    _ = next_tx.send(Find { reply_tx, ..find }).await;
    _ = find.reply_tx.send(reply_rx.await.unwrap_or("ended"));
}
// ANCHOR_END: broken_ask

// ANCHOR: broken_send
async fn sends(next_tx: &Depot, find: Find) {
    _ = next_tx.send(find).await;
}
// ANCHOR_END: broken_send

// ANCHOR: fixed
async fn tries(next_tx: &Depot, find: Find) {
    if let Err(refused) = next_tx.try_send(find) {
        _ = refused.into_inner().reply_tx.send("busy");
    }
}
// ANCHOR_END: fixed

/// Callers at each depot, all of them at the wrong one. How many are told where
/// the parcel is, how many that the depot is busy?
async fn answers(
    elsewhere: impl AsyncFn(&Depot, Find),
    callers: usize,
) -> Option<[usize; 2]> {
    let (north_tx, north_rx) = mpsc::channel(2);
    let (south_tx, south_rx) = mpsc::channel(2);
    let find = async |depot_tx: &Depot, parcel| {
        let (reply_tx, reply_rx) = oneshot::channel();
        let find = Find { parcel, passed_on: false, reply_tx };
        depot_tx.send(find).await.expect("it runs");
        reply_rx.await.expect("it runs")
    };
    let callers =
        (0..callers).flat_map(|_| [find(&north_tx, 2), find(&south_tx, 1)]);
    let answers = tokio::select! {
        biased;
        answers = timeout(DAY, join_all(callers)) => answers.ok()?,
        () = depot(1, north_rx, south_tx.clone(), &elsewhere) => vec![],
        () = depot(2, south_rx, north_tx.clone(), &elsewhere) => vec![],
    };
    let count = |what| answers.iter().filter(|answer| **answer == what).count();
    Some([count("here"), count("busy")])
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let few = answers(asks, 1).await;
    println!("asks: {few:?}");
    assert_eq!(few, None, "each waits for the other");

    let few = answers(sends, 1).await;
    let many = answers(sends, 3).await;
    println!("sends: {few:?}, under load {many:?}");
    assert_eq!((few, many), (Some([2, 0]), None));

    let few = answers(tries, 1).await;
    let many = answers(tries, 3).await;
    println!("tries: {few:?}, under load {many:?}");
    assert_eq!((few, many), (Some([2, 0]), Some([3, 3])));
}
// ANCHOR_END: all
