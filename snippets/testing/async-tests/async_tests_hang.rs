// ANCHOR: all
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

/// Counts events until the channel is closed.
async fn count(mut rx: mpsc::Receiver<&'static str>) -> u32 {
    let mut events = 0;
    while rx.recv().await.is_some() {
        events += 1;
    }
    events
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let (start, real) = (Instant::now(), std::time::Instant::now());
    let limit = Duration::from_secs(3_600);
    // ANCHOR: broken
    let (tx, rx) = mpsc::channel(8);
    tx.send("picked up").await?;
    let events = count(rx); // an await of it does not end: tx is not dropped
    // ANCHOR_END: broken

    // ANCHOR: fixed
    let events = timeout(limit, events).await;
    // ANCHOR_END: fixed
    println!("{events:?} after {:?} of the paused clock", start.elapsed());
    assert!(events.is_err());
    assert_eq!(start.elapsed(), limit);
    assert!(real.elapsed() < limit / 2);
    drop(tx);
    Ok(())
}
// ANCHOR_END: all
