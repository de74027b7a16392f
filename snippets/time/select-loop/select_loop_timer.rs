// ANCHOR: all
use std::pin::pin;
use std::time::Duration;

use tokio::sync::mpsc::{self, Receiver, UnboundedSender};
use tokio::time::{Instant, sleep};

const PERIOD: Duration = Duration::from_secs(5);

// ANCHOR: broken
async fn anew(mut scans_rx: Receiver<()>, beats_tx: UnboundedSender<()>) {
    loop {
        tokio::select! {
            scan = scans_rx.recv() => match scan {
                Some(()) => {}
                None => return,
            },
            () = sleep(PERIOD) => beats_tx.send(()).expect("a receiver"),
        }
    }
}
// ANCHOR_END: broken

// ANCHOR: fixed
async fn kept(mut scans_rx: Receiver<()>, beats_tx: UnboundedSender<()>) {
    let mut timer = pin!(sleep(PERIOD));
    loop {
        tokio::select! {
            scan = scans_rx.recv() => match scan {
                Some(()) => {}
                None => return,
            },
            () = &mut timer => {
                beats_tx.send(()).expect("a receiver");
                timer.as_mut().reset(Instant::now() + PERIOD);
            }
        }
    }
}
// ANCHOR_END: fixed

/// How many heartbeats are sent while ten scans come, three seconds apart.
async fn heartbeats(
    service: impl AsyncFn(Receiver<()>, UnboundedSender<()>),
) -> usize {
    let (scans_tx, scans_rx) = mpsc::channel(1);
    let (beats_tx, beats_rx) = mpsc::unbounded_channel();
    let scanning = async move {
        for _ in 0..10 {
            sleep(Duration::from_secs(3)).await;
            scans_tx.send(()).await.expect("a receiver");
        }
        sleep(Duration::from_secs(1)).await;
    };
    tokio::join!(service(scans_rx, beats_tx), scanning);
    beats_rx.len()
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let (anew, kept) = (heartbeats(anew).await, heartbeats(kept).await);
    println!("heartbeats in 31 s: {anew} made anew, {kept} kept");
    assert_eq!((anew, kept), (0, 6));
}
// ANCHOR_END: all
