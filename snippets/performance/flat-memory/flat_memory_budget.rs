// ANCHOR: all
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: the system's allocator does it all; only the sizes are counted.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let live = LIVE.fetch_add(layout.size(), Relaxed) + layout.size();
        PEAK.fetch_max(live, Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(memory, layout) }
    }
}

const MB: u32 = 1_000_000;

/// An export must be in memory as a whole while the database takes it in.
async fn import(size: u32) -> usize {
    let export = vec![b';'; size as usize];
    sleep(Duration::from_secs(1)).await;
    export.len()
}

// ANCHOR: import_all
async fn import_all(
    limit: Semaphore,
    permits_for: impl Fn(u32) -> u32,
) -> anyhow::Result<usize> {
    let limit = Arc::new(limit);
    let mut imports = JoinSet::new();
    // Thirty-two small shops, four large ones.
    for size in [MB; 32].into_iter().chain([8 * MB; 4]) {
        let permits = permits_for(size);
        let permits = limit.clone().acquire_many_owned(permits).await?;
        imports.spawn(async move {
            let imported = import(size).await;
            drop(permits);
            imported
        });
    }
    Ok(imports.join_all().await.into_iter().sum())
}
// ANCHOR_END: import_all

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let before = LIVE.load(Relaxed);
    let peak = || (PEAK.swap(before, Relaxed) - before) as u32 / MB;

    // ANCHOR: number
    let start = Instant::now();
    let imported = import_all(Semaphore::new(4), |_| 1).await?;
    assert_eq!(imported, 64_000_000);
    let (peak_mb, time) = (peak(), start.elapsed().as_secs());
    println!("4 exports at a time: {time} s, {peak_mb} MB");
    assert_eq!((time, peak_mb), (9, 32));
    // ANCHOR_END: number

    // ANCHOR: bytes
    let start = Instant::now();
    let budget = Semaphore::new(16_000_000);
    assert_eq!(import_all(budget, |size| size).await?, 64_000_000);
    let (peak_mb, time) = (peak(), start.elapsed().as_secs());
    println!("16 MB at a time:     {time} s, {peak_mb} MB");
    assert_eq!((time, peak_mb), (4, 16));
    // ANCHOR_END: bytes
    Ok(())
}
// ANCHOR_END: all
