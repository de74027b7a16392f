// ANCHOR: all
use std::time::Duration;

use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Accepts a job every second, until the token is cancelled.
async fn producer(jobs_tx: Sender<u32>, token: &CancellationToken) -> u32 {
    let mut accepted = 0;
    while !token.is_cancelled() {
        sleep(Duration::from_secs(1)).await;
        accepted += u32::from(jobs_tx.send(accepted).await.is_ok());
    }
    accepted
}

async fn render(_parcel: u32) {
    sleep(Duration::from_secs(3)).await;
}

/// Renders each label, in 3 s, until the channel ends.
async fn consumer(mut jobs_rx: Receiver<u32>, rendered: &mut u32) {
    while let Some(parcel) = jobs_rx.recv().await {
        render(parcel).await;
        *rendered += 1;
    }
}

async fn signal(token: &CancellationToken) {
    sleep(Duration::from_millis(4_500)).await;
    token.cancel();
}

// ANCHOR: broken
async fn one_token() -> (u32, u32) {
    let (jobs_tx, jobs_rx) = channel(8);
    let (token, mut rendered) = (CancellationToken::new(), 0);
    let consumer = consumer(jobs_rx, &mut rendered);
    // ANCHOR: broken_join
    let (accepted, ..) = tokio::join!(
        producer(jobs_tx, &token),
        token.run_until_cancelled(consumer),
        signal(&token),
    );
    // ANCHOR_END: broken_join
    (accepted, rendered)
}
// ANCHOR_END: broken

// ANCHOR: fixed
async fn in_order() -> (u32, u32) {
    let (jobs_tx, jobs_rx) = channel(8);
    let (token, mut rendered) = (CancellationToken::new(), 0);
    // ANCHOR: fixed_join
    let (accepted, ..) = tokio::join!(
        producer(jobs_tx, &token),
        consumer(jobs_rx, &mut rendered), // the end of the channel ends it
        signal(&token),
    );
    // ANCHOR_END: fixed_join
    (accepted, rendered)
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let (accepted, rendered) = one_token().await;
    println!("broken: {accepted} accepted, {rendered} rendered");
    assert_eq!((accepted, rendered), (4, 1));

    let (accepted, rendered) = in_order().await;
    println!("fixed: {accepted} accepted, {rendered} rendered");
    assert_eq!((accepted, rendered), (5, 5));
}
// ANCHOR_END: all
