// ANCHOR: all
// ANCHOR: keep
use std::collections::HashSet;
use std::time::Duration;

use anyhow::Result;
use tokio::sync::{mpsc, mpsc::error::TrySendError, oneshot};
use tokio::time::timeout;

// ANCHOR: find
#[derive(Debug, PartialEq)]
enum Answer {
    Here(&'static str),
    Unknown,
    Busy,  // the next channel is full
    Ended, // the next depot has ended
}

/// Which depot has the parcel?
struct Find {
    parcel: u32,
    hops: usize, // how many more depots may be asked
    reply_tx: oneshot::Sender<Answer>,
}
// ANCHOR_END: find

// ANCHOR: depot
/// An actor that knows its own parcels, and passes other requests on.
async fn depot(
    name: &'static str,
    parcels: HashSet<u32>,
    mut requests_rx: mpsc::Receiver<Find>,
    next_tx: mpsc::WeakSender<Find>,
) {
    while let Some(mut find) = requests_rx.recv().await {
        if parcels.contains(&find.parcel) {
            _ = find.reply_tx.send(Answer::Here(name));
        } else if find.hops == 0 {
            _ = find.reply_tx.send(Answer::Unknown);
        } else {
            find.hops -= 1;
            pass_on(&next_tx, find);
        }
    }
}
// ANCHOR_END: depot

// ANCHOR: pass_on
/// Sends a request to the next actor, but waits for nothing.
fn pass_on(next_tx: &mpsc::WeakSender<Find>, find: Find) {
    let sent = match next_tx.upgrade() {
        Some(next_tx) => next_tx.try_send(find),
        None => Err(TrySendError::Closed(find)), // it has no senders left
    };
    let (find, answer) = match sent {
        Ok(()) => return,
        Err(TrySendError::Full(find)) => (find, Answer::Busy),
        Err(TrySendError::Closed(find)) => (find, Answer::Ended),
    };
    _ = find.reply_tx.send(answer);
}
// ANCHOR_END: pass_on

// ANCHOR: ask
/// Asks a depot, which may pass the request on.
async fn ask(
    depot_tx: &mpsc::Sender<Find>,
    parcel: u32,
    hops: usize,
    limit: Duration,
) -> Result<Answer> {
    let (reply_tx, reply_rx) = oneshot::channel();
    let find = Find { parcel, hops, reply_tx };
    timeout(limit, async {
        depot_tx.send(find).await?;
        Ok(reply_rx.await?)
    })
    .await?
}
// ANCHOR_END: ask
// ANCHOR_END: keep

// Two depots, each of which has a parcel, and the other one is asked for it.
use futures::future::join_all;
use tokio::task::{JoinSet, yield_now};
use tokio::time::Instant;

const MINUTE: Duration = Duration::from_secs(60);

// ANCHOR: call
/// Keep the senders together: a depot ends when its last one is dropped.
struct Ring {
    north_tx: mpsc::Sender<Find>,
    south_tx: mpsc::Sender<Find>,
    depots: JoinSet<()>,
}

fn ring(capacity: usize) -> Ring {
    let (north_tx, north_rx) = mpsc::channel(capacity);
    let (south_tx, south_rx) = mpsc::channel(capacity);
    let mut depots = JoinSet::new();
    let next_tx = south_tx.downgrade(); // each knows the other one
    depots.spawn(depot("north", HashSet::from([1]), north_rx, next_tx));
    let next_tx = north_tx.downgrade();
    depots.spawn(depot("south", HashSet::from([2]), south_rx, next_tx));
    Ring { north_tx, south_tx, depots }
}
// ANCHOR_END: call

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<()> {
    let mut both = ring(8);
    let second = Duration::from_secs(1);
    // ANCHOR: asked
    let here = ask(&both.north_tx, 1, 1, second).await?;
    let there = ask(&both.north_tx, 2, 1, second).await?;
    let nowhere = ask(&both.north_tx, 3, 5, second).await?;
    // ANCHOR_END: asked
    println!("here: {here:?}, there: {there:?}, nowhere: {nowhere:?}");
    assert_eq!(here, Answer::Here("north"));
    assert_eq!(there, Answer::Here("south"));
    assert_eq!(nowhere, Answer::Unknown);
    let not_asked = ask(&both.north_tx, 2, 0, second).await?;
    assert_eq!(not_asked, Answer::Unknown);

    // Both channels are full of requests for the other depot's parcel.
    let crowd = ring(2);
    let start = Instant::now();
    let north = (0..6).map(|_| ask(&crowd.north_tx, 2, 1, MINUTE));
    let south = (0..6).map(|_| ask(&crowd.south_tx, 1, 1, MINUTE));
    let answers = join_all(north.chain(south)).await;
    let answers = answers.into_iter().collect::<Result<Vec<_>>>()?;
    let is_busy = |answer: &&Answer| **answer == Answer::Busy;
    let busy = answers.iter().filter(is_busy).count();
    println!("crowd: {} answers, {busy} of them busy", answers.len());
    assert!(busy > 0 && busy < answers.len());
    assert_eq!(start.elapsed(), Duration::ZERO);

    // One of them has ended.
    let Ring { north_tx, south_tx, mut depots } = ring(8);
    drop(south_tx);
    yield_now().await;
    let answer = ask(&north_tx, 2, 1, MINUTE).await?;
    println!("ended: {answer:?}");
    assert_eq!(answer, Answer::Ended);
    // The last sender is dropped: they hold none themselves.
    drop(north_tx);
    while let Some(end) = depots.join_next().await {
        end?;
    }
    println!("dropped: both have ended");

    // Only the receiver has gone, as when a depot panics.
    let (next_tx, next_rx) = mpsc::channel(1);
    drop(next_rx);
    let (reply_tx, reply_rx) = oneshot::channel();
    let find = Find { parcel: 2, hops: 0, reply_tx };
    pass_on(&next_tx.downgrade(), find);
    assert_eq!(reply_rx.await?, Answer::Ended);

    // They are aborted.
    both.depots.shutdown().await;
    let error = ask(&both.north_tx, 1, 1, MINUTE).await;
    let error = error.expect_err("no depot").to_string();
    println!("aborted: {error}");
    assert_eq!(error, "channel closed");

    // One is silent, and a caller has a limit, also for its place.
    let (tx, _rx) = mpsc::channel(1);
    for _ in 0..2 {
        let start = Instant::now();
        let error = ask(&tx, 1, 1, second).await.expect_err("a limit");
        println!("silent: {error}");
        assert_eq!(start.elapsed(), second);
    }
    Ok(())
}
// ANCHOR_END: all
