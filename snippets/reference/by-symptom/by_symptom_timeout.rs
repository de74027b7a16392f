// ANCHOR: all
use std::sync::mpsc::channel;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// The sum of a million weights. No await.
fn sum() -> u64 {
    (1..=1_000_000).sum()
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // Broken: `sum` has no await, so the timeout gets the thread only when
    // `sum` has ended. Then there is a result, and no timeout is reported.
    let summed = timeout(Duration::ZERO, async { sum() }).await;
    println!("in the task: {summed:?}");
    assert_eq!(summed, Ok(500_000_500_000));

    // Fixed: on another thread. The timeout fires, and the thread works on.
    let (stop_tx, stop_rx) = channel::<()>();
    let (sum_tx, sum_rx) = channel();
    let job = spawn_blocking(move || {
        let _ = stop_rx.recv(); // until `stop_tx` is dropped
        sum_tx.send(sum())
    });
    let summed = timeout(Duration::ZERO, job).await;
    println!("on another thread: {}", summed.unwrap_err());
    drop(stop_tx);
    assert_eq!(sum_rx.recv()?, 500_000_500_000);
    Ok(())
}
// ANCHOR_END: all
