// ANCHOR: all
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::{Instant, sleep};

static ASKED: AtomicU32 = AtomicU32::new(0);

async fn read() {
    ASKED.fetch_add(1, Relaxed);
    sleep(Duration::from_secs(1)).await;
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let day = Duration::from_secs(24 * 60 * 60);

    // ANCHOR: broken
    // Broken: five futures are made, and that starts none of them.
    let reads = [(); 5].map(|()| read());
    sleep(day).await;
    assert_eq!(ASKED.load(Relaxed), 0);

    // Each starts when it is awaited, which is when the last one is done.
    let start = Instant::now();
    for read in reads {
        read.await;
    }
    println!("awaited in turn: {:?}", start.elapsed());
    assert_eq!(start.elapsed(), Duration::from_secs(5));
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: a task starts by itself, and awaiting it only waits.
    let start = Instant::now();
    let reads = [(); 5].map(|()| tokio::spawn(read()));
    for read in reads {
        read.await?;
    }
    println!("spawned, then awaited in turn: {:?}", start.elapsed());
    assert_eq!(start.elapsed(), Duration::from_secs(1));
    // ANCHOR_END: fixed
    Ok(())
}
// ANCHOR_END: all
