// ANCHOR: all
use tokio::sync::oneshot;
use tokio::sync::oneshot::error::RecvError;

/// A carrier's price. It panics for parcel 13.
fn price(parcel: u32) -> u32 {
    assert_ne!(parcel, 13, "a bug");
    30
}

/// The answer, and whether the task has panicked.
async fn ask(parcel: u32) -> (Result<u32, RecvError>, bool) {
    // ANCHOR: one
    let (price_tx, price_rx) = oneshot::channel();
    let task = tokio::spawn(async move { price_tx.send(price(parcel)) });
    let answer = price_rx.await;
    // ANCHOR_END: one
    (answer, task.await.is_err_and(|end| end.is_panic()))
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let (answer, panicked) = ask(7).await;
    println!("parcel 7: {answer:?}");
    assert_eq!((answer, panicked), (Ok(30), false));

    let (answer, panicked) = ask(13).await;
    println!("parcel 13: {:?}", answer.as_ref().map_err(ToString::to_string));
    assert!(answer.is_err() && panicked);

    let (price_tx, price_rx) = oneshot::channel();
    drop(price_rx);
    let sent = price_tx.send(30);
    println!("the receiver is gone: {sent:?}");
    assert_eq!(sent, Err(30));
}
// ANCHOR_END: all
