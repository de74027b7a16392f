// ANCHOR: all
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread;

use tokio::task::yield_now;

type Metres = AtomicU32;

async fn paint(metres: &Metres) {
    for _ in 0..3 {
        yield_now().await; // dips the brush
        metres.fetch_add(1, Relaxed);
    }
}

/// Mixes a colour, without an await, until a metre has been painted. Gives up
/// after so many turns.
async fn mix(metres: &Metres, turns: u64) -> bool {
    (0..turns).any(|_| {
        thread::yield_now();
        metres.load(Relaxed) > 0
    })
}

#[tokio::main(worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: broken
    // Broken: who paints waits for who mixes. Both are one task.
    let metres = Metres::default();
    let (painted, ()) = tokio::join!(mix(&metres, 10_000), paint(&metres));
    println!("lent: a metre painted meanwhile: {painted}");
    assert!(!painted);
    assert_eq!(metres.into_inner(), 3, "it was done afterwards");
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: two tasks, and each has a thread. It ends because of that.
    let metres = Arc::new(Metres::default());
    let (his, hers) = (Arc::clone(&metres), Arc::clone(&metres));
    let mixing = tokio::spawn(async move { mix(&his, u64::MAX).await });
    let painting = tokio::spawn(async move { paint(&hers).await });
    let painted = mixing.await?;
    println!("two tasks: a metre painted meanwhile: {painted}");
    assert!(painted);
    // ANCHOR_END: fixed
    Ok(painting.await?)
}
// ANCHOR_END: all
