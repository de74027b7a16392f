// ANCHOR: all
use std::time::Duration;

use tokio::sync::mpsc::{Receiver, Sender, channel, error::SendError};
use tokio::time::timeout;

type Sent = Result<usize, SendError<u32>>;

async fn first_all(
    parcels: u32,
    tx: Sender<u32>,
    mut rx: Receiver<u32>,
) -> Sent {
    // ANCHOR: broken
    for parcel in 0..parcels {
        tx.send(parcel).await?; // waits when the channel is full
    }
    drop(tx);
    let mut received = 0;
    while rx.recv().await.is_some() {
        received += 1;
    }
    // ANCHOR_END: broken
    Ok(received)
}

async fn both_at_once(
    parcels: u32,
    tx: Sender<u32>,
    mut rx: Receiver<u32>,
) -> Sent {
    // ANCHOR: fixed
    let send = async move {
        for parcel in 0..parcels {
            tx.send(parcel).await?;
        }
        Ok(()) // drops `tx`, so that `recv` returns None
    };
    let receive = async {
        let mut received = 0;
        while rx.recv().await.is_some() {
            received += 1;
        }
        Ok(received)
    };
    let ((), received) = tokio::try_join!(send, receive)?;
    // ANCHOR_END: fixed
    Ok(received)
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let minute = Duration::from_secs(60);
    for (parcels, ends) in [(2, true), (3, false)] {
        let (tx, rx) = channel(2);
        let received = timeout(minute, first_all(parcels, tx, rx)).await;
        println!("first all, {parcels} parcels: {received:?}");
        assert_eq!(received.ok(), ends.then_some(Ok(2)));
    }
    let (tx, rx) = channel(2);
    let received = timeout(minute, both_at_once(3, tx, rx)).await;
    println!("both at once, 3 parcels: {received:?}");
    assert_eq!(received, Ok(Ok(3)));
}
// ANCHOR_END: all
