// ANCHOR: all
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

const LIMIT: Duration = Duration::from_secs(30);

#[tokio::main(flavor = "multi_thread", worker_threads = 4)]
async fn main() -> anyhow::Result<()> {
    let label = tokio::spawn(async {
        // ANCHOR: broken
        let (label_tx, label_rx) = channel();
        let render = tokio::spawn(async move { label_tx.send("label") });
        let label = label_rx.recv_timeout(Duration::from_millis(200));
        // ANCHOR_END: broken
        (label, render)
    });
    let (label, render) = label.await?;
    println!("blocking: {label:?}");
    assert_eq!(label, Err(RecvTimeoutError::Timeout));
    assert!(render.await?.is_err(), "it starts when nothing receives");

    let label = tokio::spawn(async {
        // ANCHOR: fixed
        let (label_tx, label_rx) = oneshot::channel();
        let render = tokio::spawn(async move { label_tx.send("label") });
        let label = timeout(LIMIT, label_rx).await;
        // ANCHOR_END: fixed
        (label, render)
    });
    let (label, render) = label.await?;
    let label = label??;
    println!("oneshot: {label:?}");
    assert_eq!(label, "label");
    render.await?.expect("it receives");
    Ok(())
}
// ANCHOR_END: all
