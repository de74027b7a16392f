// ANCHOR: all
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

tokio::task_local! {
    /// How many requests the carrier has got.
    static COPIED: Cell<u32>;
    static SHARED: Arc<AtomicU32>;
}

async fn copied() -> anyhow::Result<u32> {
    // ANCHOR: broken
    let ask = async || COPIED.with(|count| count.set(count.get() + 1));
    ask().await;
    tokio::spawn(COPIED.scope(COPIED.get(), ask())).await?;
    let count = COPIED.get().into_inner();
    // ANCHOR_END: broken
    Ok(count)
}

async fn shared() -> anyhow::Result<u32> {
    // ANCHOR: fixed
    let ask = async || SHARED.with(|count| count.fetch_add(1, Relaxed));
    ask().await;
    tokio::spawn(SHARED.scope(SHARED.get(), ask())).await?;
    let count = SHARED.with(|count| count.load(Relaxed));
    // ANCHOR_END: fixed
    Ok(count)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let copied = COPIED.scope(Cell::new(0), copied()).await?;
    let shared = SHARED.scope(Arc::default(), shared()).await?;
    println!("Cell: {copied} of 2 requests");
    println!("Arc<AtomicU32>: {shared} of 2 requests");
    assert_eq!((copied, shared), (1, 2));
    Ok(())
}
// ANCHOR_END: all
