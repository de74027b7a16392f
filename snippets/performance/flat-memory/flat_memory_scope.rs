// ANCHOR: all
use std::alloc::{GlobalAlloc, Layout, System};
use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use tokio::task::yield_now;

// ANCHOR: counting
static LIVE: AtomicUsize = AtomicUsize::new(0);

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: the system's allocator does it all; only the sizes are counted.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size(), Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(memory, layout) }
    }
}
// ANCHOR_END: counting

async fn receive() -> Vec<u8> {
    yield_now().await;
    vec![b';'; 1_000_000]
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    // What the runtime and `println!` keep for themselves is there already.
    println!("1,000 MB of orders, 1 MB at a time");
    tokio::spawn(yield_now()).await?;
    let before = LIVE.load(Relaxed);
    let held = || LIVE.load(Relaxed) - before;

    // ANCHOR: scope
    for _ in 0..1_000 {
        assert_eq!(held(), 0);
        let orders = receive().await;
        assert_eq!(held(), orders.len());
    }
    assert_eq!(held(), 0);
    // ANCHOR_END: scope
    println!("end of the scope: nothing is left");

    // ANCHOR: moved
    let orders = receive().await;
    let import = tokio::spawn(async move { orders.len() });
    assert_eq!(import.await?, 1_000_000);
    assert_eq!(held(), 0);
    // ANCHOR_END: moved
    println!("end of the task: nothing is left");

    // ANCHOR: cancelled
    let orders = receive().await;
    let import = tokio::spawn(async move {
        pending::<()>().await; // the database never answers
        orders.len()
    });
    yield_now().await;
    assert!(held() > 1_000_000);
    import.abort();
    assert!(import.await.unwrap_err().is_cancelled());
    assert_eq!(held(), 0);
    // ANCHOR_END: cancelled
    println!("cancelled: nothing is left");
    Ok(())
}
// ANCHOR_END: all
