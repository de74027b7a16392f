// ANCHOR: all
use std::time::Duration;

use async_channel::{SendError, bounded};
use tokio::time::timeout;

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: broken
    let day = Duration::from_secs(24 * 60 * 60);
    let (jobs_tx, jobs_rx) = bounded(8);
    let worker = tokio::spawn(async move {
        while let Ok(job) = jobs_rx.recv().await {
            println!("job {job}");
        }
    });
    jobs_tx.send(1).await?;
    let ended = timeout(day, worker).await; // `jobs_tx` is still there
    // ANCHOR_END: broken
    assert!(ended.is_err());
    println!("a sender too many: after a day the worker still waits");
    drop(jobs_tx);

    let (jobs_tx, jobs_rx) = bounded(8);
    let worker = tokio::spawn(async move {
        while let Ok(job) = jobs_rx.recv().await {
            println!("job {job}");
        }
    });
    jobs_tx.send(1).await?;
    // ANCHOR: fixed
    jobs_tx.close(); // or drop all senders
    let ended = timeout(day, worker).await;
    // ANCHOR_END: fixed
    ended??;
    println!("closed: the worker has ended");
    assert_eq!(jobs_tx.send(2).await, Err(SendError(2)));

    // A producer that panics drops its sender, too.
    let (jobs_tx, jobs_rx) = bounded::<u32>(8);
    let producer = tokio::spawn(async move {
        jobs_tx.send(1).await.expect("a receiver");
        assert!(jobs_tx.is_closed(), "a comma in the address");
    });
    assert!(producer.await.is_err_and(|error| error.is_panic()));
    assert_eq!(
        (jobs_rx.recv().await, jobs_rx.recv().await.ok()),
        (Ok(1), None)
    );

    // A receiver too many: a full channel blocks though no worker is left.
    let (jobs_tx, jobs_rx) = bounded(1);
    jobs_tx.send(1).await?;
    assert!(timeout(day, jobs_tx.send(2)).await.is_err());
    drop(jobs_rx);
    assert_eq!(jobs_tx.send(2).await, Err(SendError(2)));
    println!("a receiver too many: after a day the producer still waits");
    Ok(())
}
// ANCHOR_END: all
