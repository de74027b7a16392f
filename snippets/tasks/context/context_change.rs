// ANCHOR: all
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

tokio::task_local! {
    /// How many requests the carrier has got.
    static IN_CELL: Cell<u32>;
    static IN_ARC: Arc<AtomicU32>;
}

async fn in_cell() -> anyhow::Result<u32> {
    // ANCHOR: broken
    let ask = async || IN_CELL.with(|count| count.set(count.get() + 1));
    ask().await;
    tokio::spawn(IN_CELL.scope(IN_CELL.get(), ask())).await?;
    let count = IN_CELL.get().into_inner();
    // ANCHOR_END: broken
    Ok(count)
}

async fn in_arc() -> anyhow::Result<u32> {
    // ANCHOR: fixed
    let ask = async || IN_ARC.with(|count| count.fetch_add(1, Relaxed));
    ask().await;
    tokio::spawn(IN_ARC.scope(IN_ARC.get(), ask())).await?;
    let count = IN_ARC.with(|count| count.load(Relaxed));
    // ANCHOR_END: fixed
    Ok(count)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let cell = IN_CELL.scope(Cell::new(0), in_cell()).await?;
    let arc = IN_ARC.scope(Arc::default(), in_arc()).await?;
    println!("Cell: {cell} of 2 requests");
    println!("Arc<AtomicU32>: {arc} of 2 requests");
    assert_eq!((cell, arc), (1, 2));
    Ok(())
}
// ANCHOR_END: all
