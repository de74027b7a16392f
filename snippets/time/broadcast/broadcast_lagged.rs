// ANCHOR: all
use tokio::sync::broadcast::{Receiver, channel, error::RecvError};

// ANCHOR: broken
async fn until_an_error(mut rx: Receiver<u32>) -> Vec<u32> {
    let mut events = Vec::new();
    while let Ok(event) = rx.recv().await {
        events.push(event);
    }
    events
}
// ANCHOR_END: broken

// ANCHOR: fixed
async fn until_the_end(mut rx: Receiver<u32>) -> (Vec<u32>, u64) {
    let (mut events, mut missed) = (Vec::new(), 0);
    loop {
        match rx.recv().await {
            Ok(event) => events.push(event),
            Err(RecvError::Lagged(count)) => missed += count,
            Err(RecvError::Closed) => return (events, missed),
        }
    }
}
// ANCHOR_END: fixed

/// A receiver that comes to its twelve events when eight are overwritten.
fn lagged() -> Receiver<u32> {
    let (tx, rx) = channel(4);
    for event in 1..=12 {
        tx.send(event).expect("there is a receiver");
    }
    rx
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let events = until_an_error(lagged()).await;
    println!("until an error: {events:?}");
    assert!(events.is_empty());

    let (events, missed) = until_the_end(lagged()).await;
    println!("until the end: {events:?}, and {missed} missed");
    assert_eq!((events, missed), (vec![9, 10, 11, 12], 8));
}
// ANCHOR_END: all
