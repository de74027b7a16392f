// ANCHOR: all
use std::time::Duration;

use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::time::{Instant, sleep};

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: broken
    // Broken: nothing tells the waiter that the cook has not come in today.
    let (orders, hatch) = mpsc::unbounded_channel();
    for table in 1..=10_000 {
        orders.send(table)?;
    }
    assert_eq!(hatch.len(), 10_000);
    println!("unbounded: {} orders in the hatch", hatch.len());
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: there is room for two. A send waits for its place.
    let (orders, mut hatch) = mpsc::channel(2);
    let start = Instant::now();
    let cook = tokio::spawn(async move {
        while hatch.recv().await.is_some() {
            sleep(Duration::from_secs(10)).await;
        }
    });
    let mut accepted = Vec::new();
    for table in 1..=5 {
        orders.send(table).await?;
        accepted.push(start.elapsed().as_secs());
    }
    println!("room for two: accepted at {accepted:?} s");
    // One is being cooked, two lie in the hatch, the others had to wait.
    assert_eq!(accepted, [0, 0, 0, 10, 20]);
    // ANCHOR_END: fixed

    // ANCHOR: refuse
    // Or do not wait: the order comes back.
    assert_eq!(orders.try_send(6), Err(TrySendError::Full(6)));
    // ANCHOR_END: refuse
    drop(orders);
    cook.await?;
    assert_eq!(start.elapsed(), Duration::from_secs(50));
    Ok(())
}
// ANCHOR_END: all
