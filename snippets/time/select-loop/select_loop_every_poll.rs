// ANCHOR: all
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::time::Duration;

use futures::future::{Fuse, FusedFuture, FutureExt};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::sleep;
use tokio_stream::{StreamExt, wrappers::ReceiverStream};

async fn look_up(scan: u32) -> u32 {
    sleep(Duration::from_secs(2)).await;
    scan
}

// ANCHOR: broken
async fn loses(
    mut scans_rx: Receiver<u32>,
    events_tx: Sender<u32>,
    mut questions_rx: Receiver<()>,
) {
    loop {
        tokio::select! {
            biased;
            Some(()) = questions_rx.recv() => {} // answers it
            passed = async {
                let event = look_up(scans_rx.recv().await?).await;
                events_tx.send(event).await.ok()
            } => if passed.is_none() { return },
        }
    }
}
// ANCHOR_END: broken

// ANCHOR: fixed
async fn keeps(
    mut scans_rx: Receiver<u32>,
    events_tx: Sender<u32>,
    mut questions_rx: Receiver<()>,
) {
    let mut event = None; // what waits for a place
    let mut look_up_of = pin!(Fuse::terminated()); // what is being looked up
    loop {
        let is_idle = look_up_of.is_terminated() && event.is_none();
        tokio::select! {
            biased;
            Some(()) = questions_rx.recv() => {} // answers it
            place = events_tx.reserve(), if event.is_some() => match place {
                Ok(place) => place.send(event.take().expect("is_some")),
                Err(_) => return,
            },
            found = &mut look_up_of => event = Some(found),
            scan = scans_rx.recv(), if is_idle => match scan {
                Some(scan) => look_up_of.set(look_up(scan).fuse()),
                None => return,
            },
        }
    }
}
// ANCHOR_END: fixed

// ANCHOR: ask
/// Asks before the first poll, after it, before the second, and so on: at the
/// n-th of these moments. Returns whether there are as many.
async fn ask(n: usize, asks: Sender<()>, work: impl Future) -> bool {
    let (mut work, mut moments) = (pin!(work), 0);
    poll_fn(|context| {
        let mut moment = || {
            moments += 1;
            if moments == n {
                asks.try_send(()).expect("it asks once");
            }
            let is_later = moments >= n + 2;
            assert!(!is_later || asks.capacity() == 1, "it is answered");
        };
        moment();
        let poll = work.as_mut().poll(context);
        if poll.is_pending() {
            moment();
        }
        poll
    })
    .await;
    moments >= n
}
// ANCHOR_END: ask

/// Passes on three scans, and asks at another moment each time. Returns how
/// many runs have lost a scan, and how many there were.
async fn check(
    relay: impl AsyncFn(Receiver<u32>, Sender<u32>, Receiver<()>),
) -> (usize, usize) {
    let mut lost = 0;
    for n in 1.. {
        let (questions_tx, questions_rx) = channel(1);
        let (scans_tx, scans_rx) = channel(3);
        let (events_tx, events_rx) = channel(1);
        for scan in 1..=3 {
            scans_tx.try_send(scan).expect("a place for three");
        }
        drop(scans_tx);
        let events = ReceiverStream::new(events_rx);
        let events = events.throttle(Duration::from_secs(5));
        let consumer = tokio::spawn(events.collect::<Vec<_>>());
        let relay = relay(scans_rx, events_tx, questions_rx);
        if !ask(n, questions_tx, relay).await {
            return (lost, n - 1);
        }
        lost += usize::from(consumer.await.expect("no panic") != [1, 2, 3]);
    }
    unreachable!("it ends")
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let (lost, runs) = check(loses).await;
    println!("an await in a branch: {lost} of {runs} runs lose a scan");
    assert_eq!((lost, runs), (8, 9));

    let (lost, runs) = check(keeps).await;
    println!("a future kept outside: {lost} of {runs} runs lose a scan");
    assert_eq!((lost, runs), (0, 9));
}
// ANCHOR_END: all
