// ANCHOR: all
use std::num::ParseIntError;

use futures::StreamExt;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

const LINES: [&str; 4] = ["7", "8", "9,", "10"];

/// The numbers of parcels. The third line has a comma.
async fn producer(tx: mpsc::Sender<u32>) {
    for line in LINES {
        let parcel = line.parse().expect("a number");
        if tx.send(parcel).await.is_err() {
            return; // the consumer is gone
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    // ANCHOR: broken
    let (tx, rx) = mpsc::channel(2);
    tokio::spawn(producer(tx));
    let parcels: Vec<u32> = ReceiverStream::new(rx).collect().await;
    // ANCHOR_END: broken
    println!("the handle is dropped: {parcels:?}, and no error");
    assert_eq!(parcels, [7, 8]);

    let (tx, rx) = mpsc::channel(2);
    // ANCHOR: fixed
    let task = tokio::spawn(producer(tx));
    let received: Vec<u32> = ReceiverStream::new(rx).collect().await;
    let end = task.await;
    // ANCHOR_END: fixed
    let panics = end.is_err_and(|error| error.is_panic());
    println!("the handle is awaited: {received:?}, a panic: {panics}");
    assert!(panics);
    assert_eq!(received, [7, 8]);

    // An error is lost in the same way.
    let (tx, rx) = mpsc::channel::<u32>(2);
    let task = tokio::spawn(async move {
        let parcel = "9,".parse()?;
        Ok::<_, ParseIntError>(tx.send(parcel).await.is_ok())
    });
    assert_eq!(ReceiverStream::new(rx).next().await, None);
    assert!(task.await.is_ok_and(|result| result.is_err()));
}
// ANCHOR_END: all
