// ANCHOR: all
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use tokio::fs::{self, File};
use tokio::io::{AsyncBufReadExt, BufReader};

// ANCHOR: counting
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
// ANCHOR_END: counting

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let export = tempfile::NamedTempFile::new()?;
    std::fs::write(export.path(), "7;lamp;2\n".repeat(1_000_000))?;
    let size = export.path().metadata()?.len() as usize;

    // ANCHOR: broken
    // Broken: the file is in memory once, and each line of it has 16 more.
    let before = LIVE.load(Relaxed);
    let text = fs::read_to_string(export.path()).await?;
    let orders: Vec<&str> = text.lines().collect();
    assert_eq!(orders.len(), 1_000_000);
    let held = LIVE.load(Relaxed) - before;
    assert!(held > 2 * size, "{held} bytes");
    // ANCHOR_END: broken
    println!("read it all: more than twice the size of the file");
    drop(text);

    // ANCHOR: fixed
    // Fixed: one line at a time.
    let before = LIVE.load(Relaxed);
    PEAK.store(before, Relaxed);
    let file = BufReader::new(File::open(export.path()).await?);
    let (mut lines, mut orders) = (file.lines(), 0);
    while lines.next_line().await?.is_some() {
        orders += 1;
    }
    assert_eq!(orders, 1_000_000);
    let held = PEAK.load(Relaxed) - before;
    assert!(held < size / 100, "{held} bytes");
    // ANCHOR_END: fixed
    println!("line by line: less than a hundredth");
    Ok(())
}
// ANCHOR_END: all
