// ANCHOR: all
use std::panic::{self, catch_unwind};
use std::sync::mpsc::{self, RecvTimeoutError::Timeout};
use std::time::Duration;

use anyhow::Result;
use futures::executor;
use tokio::runtime::Builder;
use tokio::task::yield_now;
use tokio::time::sleep;

const MS: Duration = Duration::from_millis(1);
const LONG: Duration = Duration::from_secs(30);

async fn track() -> &'static str {
    yield_now().await;
    "in transit"
}

// ANCHOR: broken
async fn blocks() -> Result<&'static str> {
    let reply = tokio::spawn(track());
    Ok(executor::block_on(reply)?)
}
// ANCHOR_END: broken

// ANCHOR: fixed
async fn awaits() -> Result<&'static str> {
    let reply = tokio::spawn(track());
    Ok(reply.await?)
}
// ANCHOR_END: fixed

fn main() -> Result<()> {
    panic::set_hook(Box::new(|_| {})); // the text is printed below
    let panic = catch_unwind(|| executor::block_on(async { sleep(MS).await }));
    let panic = panic.expect_err("a panic");
    let text = panic.downcast::<String>().expect("a text");
    let text = text.split(',').next().unwrap_or_default();
    println!("outside of a runtime: {text}");
    assert_eq!(text, "there is no reactor running");

    let runtime = Builder::new_multi_thread().worker_threads(4).build()?;
    let (reply_tx, reply_rx) = mpsc::channel();
    runtime.spawn(async move { reply_tx.send(awaits().await) });
    println!("await: {}", reply_rx.recv_timeout(LONG)??);

    let (reply_tx, reply_rx) = mpsc::channel();
    runtime.spawn(async move { reply_tx.send(blocks().await) });
    let reply = reply_rx.recv_timeout(200 * MS);
    println!("block_on in a task: {:?}", reply.as_ref().err());
    assert_eq!(reply.err(), Some(Timeout));
    runtime.shutdown_background(); // a drop would wait for it forever
    Ok(())
}
// ANCHOR_END: all
