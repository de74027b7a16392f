// ANCHOR: all
use std::any::Any;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::OnceCell;
use tokio::time::sleep;

/// The first fire goes out with a bang, or it would.
async fn heat() -> u32 {
    static FIRES: AtomicU32 = AtomicU32::new(0);
    sleep(Duration::from_secs(3600)).await;
    assert!(FIRES.fetch_add(1, Relaxed) > 0, "the pipe bursts");
    80
}

// ANCHOR: broken
/// Broken: it has no await, so somebody blocks.
static LAZY: LazyLock<u32> =
    LazyLock::new(|| Handle::current().block_on(heat()));
// ANCHOR_END: broken

// ANCHOR: fixed
/// Fixed: a cell that awaits.
static CELL: OnceCell<u32> = OnceCell::const_new();
// ANCHOR_END: fixed

/// The first sentence of a panic.
fn sentence(panic: Box<dyn Any + Send>) -> String {
    let text = panic.downcast::<String>().map(|text| *text);
    let text = text
        .or_else(|panic| panic.downcast().map(|s: Box<&str>| s.to_string()));
    let text = text.unwrap_or_default();
    text.split(". ").next().unwrap_or_default().to_owned()
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    for expected in ["from within a runtime", "previously been poisoned"] {
        let end = tokio::spawn(async { *LAZY }).await;
        let panic = sentence(end.unwrap_err().into_panic());
        println!("LazyLock: {panic}");
        assert!(panic.contains(expected));
    }

    // A panic is not kept: the next one tries again.
    let enter = async || *CELL.get_or_init(heat).await;
    let end = tokio::spawn(enter()).await;
    let panic = sentence(end.unwrap_err().into_panic());
    println!("OnceCell: {panic}");
    assert_eq!(panic, "the pipe bursts");
    let degrees = tokio::spawn(enter()).await?;
    println!("OnceCell: {degrees} degrees");
    assert_eq!(degrees, 80);
    Ok(())
}
// ANCHOR_END: all
