// ANCHOR: all
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: all is left to the system's allocator; only the sizes are counted.
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

/// Thirty-two small exports, and four large ones.
fn sizes() -> impl Iterator<Item = u32> {
    [MB; 32].into_iter().chain([8 * MB; 4])
}

/// The whole export is in memory while the database takes it.
async fn import(size: u32, permit: OwnedSemaphorePermit) -> usize {
    let export = vec![b';'; size as usize];
    sleep(Duration::from_secs(1)).await;
    let length = export.len();
    drop((export, permit));
    length
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let before = LIVE.load(Relaxed);
    let peak = || (PEAK.swap(before, Relaxed) - before) as u32 / MB;

    let start = Instant::now();
    // ANCHOR: broken
    let limit = Arc::new(Semaphore::new(4));
    let mut imports = JoinSet::new();
    for size in sizes() {
        let permit = limit.clone().acquire_owned().await?;
        imports.spawn(import(size, permit));
    }
    let imported = imports.join_all().await;
    // ANCHOR_END: broken
    assert_eq!(imported.iter().sum::<usize>(), 64_000_000);
    let (peak_mb, time) = (peak(), start.elapsed().as_secs());
    println!("4 at a time: {time} s, {peak_mb} MB");
    assert_eq!((time, peak_mb), (9, 32));

    let start = Instant::now();
    // ANCHOR: fixed
    let budget = Arc::new(Semaphore::new(16_000_000));
    let mut imports = JoinSet::new();
    for size in sizes() {
        let permit = budget.clone().acquire_many_owned(size).await?;
        imports.spawn(import(size, permit));
    }
    let imported = imports.join_all().await;
    // ANCHOR_END: fixed
    assert_eq!(imported.iter().sum::<usize>(), 64_000_000);
    let (peak_mb, time) = (peak(), start.elapsed().as_secs());
    println!("16 MB at a time: {time} s, {peak_mb} MB");
    assert_eq!((time, peak_mb), (4, 16));
    Ok(())
}
// ANCHOR_END: all
