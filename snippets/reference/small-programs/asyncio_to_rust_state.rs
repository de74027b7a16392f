use futures::FutureExt;
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::{SetOnce, mpsc};
use tokio::task;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: queue
    let (tx, mut rx) = mpsc::channel(2);
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    tx.send("parcel 7").await?;
    assert_eq!((rx.len(), tx.max_capacity()), (1, 2));
    assert_eq!(tx.capacity(), 1, "the free places");
    drop(tx);
    assert_eq!(rx.try_recv(), Ok("parcel 7"));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Disconnected));
    println!("mpsc: empty, 1 of 2, disconnected");
    // ANCHOR_END: queue

    // ANCHOR: once
    let status = SetOnce::new();
    status.set("delivered")?;
    assert!(status.set("lost").is_err());
    assert_eq!(status.wait().await, &"delivered");
    assert_eq!(status.wait().now_or_never(), Some(&"delivered"));
    println!("SetOnce: the second value is an error");
    // ANCHOR_END: once

    // ANCHOR: id
    assert_eq!(task::try_id(), None, "`main` is not a task");
    let task = tokio::spawn(async { task::try_id() });
    let id = task.id();
    assert_eq!(task.await?, Some(id));
    println!("try_id: none in main, an id in a task");
    // ANCHOR_END: id
    Ok(())
}
