// ANCHOR: all
use std::sync::mpsc::sync_channel;

use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::task::spawn_blocking;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    // Any number of senders. Each value is received once, and then the end.
    // A thread may send, or receive, by the blocking methods.
    let (tx, mut rx) = mpsc::channel(2);
    let blocking_tx = tx.clone();
    spawn_blocking(move || blocking_tx.blocking_send(1)).await??;
    tx.send(2).await?;
    assert!(tx.try_send(3).is_err(), "full: `send` would wait");
    drop(tx);
    assert_eq!(rx.recv().await, Some(1));
    assert_eq!(rx.recv().await, Some(2));
    assert_eq!(rx.recv().await, None);
    println!("mpsc: 1, 2, the end");

    // One value, and `send` does not wait. No value is an error.
    let (reply_tx, reply_rx) = oneshot::channel();
    reply_tx.send("in transit").expect("a receiver");
    assert_eq!(reply_rx.await?, "in transit");
    let (reply_tx, reply_rx) = oneshot::channel::<&str>();
    drop(reply_tx);
    assert!(reply_rx.await.is_err());
    println!("oneshot: a reply, or an error");

    // Each receiver gets each value. A slow receiver misses the oldest, and
    // is told how many.
    let (events_tx, mut quick_rx) = broadcast::channel(2);
    let mut slow_rx = events_tx.subscribe();
    for event in ["accepted", "in transit", "delivered"] {
        events_tx.send(event)?;
        assert_eq!(quick_rx.recv().await?, event);
    }
    let missed = slow_rx.recv().await.expect_err("too slow");
    assert_eq!(missed, broadcast::error::RecvError::Lagged(1));
    assert_eq!(slow_rx.recv().await?, "in transit");
    println!("broadcast: {missed}");

    // The latest value only.
    let (status_tx, mut status_rx) = watch::channel("accepted");
    status_tx.send("in transit")?;
    status_tx.send("delivered")?;
    status_rx.changed().await?;
    assert_eq!(*status_rx.borrow_and_update(), "delivered");
    assert!(!status_rx.has_changed()?, "\"in transit\" was never seen");
    println!("watch: accepted, delivered");

    // Between threads: both ends block, so neither belongs in a task.
    let (tx, rx) = sync_channel(1);
    tx.try_send(1)?;
    assert!(tx.try_send(2).is_err(), "full: `send` would block");
    let producer = spawn_blocking(move || {
        (2..=100).try_for_each(|number: u32| tx.send(number))
    });
    let sum = spawn_blocking(move || rx.iter().sum::<u32>()).await?;
    producer.await??;
    assert_eq!(sum, 5050);
    println!("std: 1 to 100, {sum} in all");
    Ok(())
}
// ANCHOR_END: all
