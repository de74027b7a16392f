// ANCHOR: all
use std::time::Duration;

use anyhow::Result;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot::{self, Receiver};
use tokio::task::{JoinError, block_in_place, spawn_blocking};
use tokio::time::timeout;

const LONG: Duration = Duration::from_secs(30);

/// Sync code that waits for a reply.
fn wait(limit: Duration, reply_rx: Receiver<&'static str>) -> Result<String> {
    let reply = async { timeout(limit, reply_rx).await };
    Ok(Handle::current().block_on(reply)??.to_owned())
}

async fn in_place(limit: Duration) -> Result<String> {
    // ANCHOR: broken
    let (reply_tx, reply_rx) = oneshot::channel();
    let caller = async { block_in_place(|| wait(limit, reply_rx)) };
    let carrier = async { reply_tx.send("in transit") };
    let (status, _) = tokio::join!(caller, carrier);
    // ANCHOR_END: broken
    status
}

async fn on_a_thread(limit: Duration) -> Result<String> {
    // ANCHOR: fixed
    let (reply_tx, reply_rx) = oneshot::channel();
    let caller = spawn_blocking(move || wait(limit, reply_rx));
    let carrier = async { reply_tx.send("in transit") };
    let (status, _) = tokio::join!(caller, carrier);
    // ANCHOR_END: fixed
    status?
}

#[tokio::main]
async fn main() -> Result<()> {
    let error = in_place(Duration::from_millis(100)).await;
    let error = error.expect_err("a timeout");
    println!("block_in_place: {error}");
    assert_eq!(error.to_string(), "deadline has elapsed");

    let status = on_a_thread(LONG).await?;
    println!("spawn_blocking: {status}");
    assert_eq!(status, "in transit");

    // Without a branch beside it, block_in_place is right.
    let (reply_tx, reply_rx) = oneshot::channel();
    let carrier = tokio::spawn(async { reply_tx.send("in transit") });
    let status = block_in_place(|| wait(LONG, reply_rx))?;
    println!("block_in_place, beside another task: {status}");
    assert_eq!(carrier.await?, Ok(()));

    let panic = spawn_blocking(|| {
        let runtime = Builder::new_current_thread().build()?;
        let task = runtime.spawn(async { block_in_place(|| ()) });
        anyhow::Ok(runtime.block_on(task))
    });
    let panic = panic.await??.map_err(JoinError::try_into_panic);
    let panic = panic.expect_err("a panic")?;
    let text = panic.downcast::<String>().expect("a text");
    println!("current_thread: {text}");
    Ok(())
}
// ANCHOR_END: all
