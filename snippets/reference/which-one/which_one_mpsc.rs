use tokio::sync::mpsc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: end
    let (tx, mut rx) = mpsc::channel(2);
    tx.send(1).await?;
    tx.send(2).await?;
    drop(tx);
    assert_eq!(rx.recv().await, Some(1));
    assert_eq!(rx.recv().await, Some(2));
    assert_eq!(rx.recv().await, None);
    println!("the sender is dropped: the rest, then the end");

    let (tx, mut rx) = mpsc::channel(2);
    tx.send(1).await?;
    rx.close();
    let refused = tx.send(2).await.expect_err("closed");
    assert_eq!(refused.0, 2);
    assert_eq!(rx.recv().await, Some(1));
    assert_eq!(rx.recv().await, None);
    println!("closed: event {} is returned, the rest received", refused.0);
    // ANCHOR_END: end
    Ok(())
}
