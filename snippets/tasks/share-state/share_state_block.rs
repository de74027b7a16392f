// ANCHOR: all
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use tokio::task::yield_now;

static NOTIFIED: AtomicU32 = AtomicU32::new(0);

/// Tells the customer.
async fn notify() {
    yield_now().await;
    NOTIFIED.fetch_add(1, Relaxed);
}

/// The program that does not compile as a task. Here it is none.
#[expect(clippy::await_holding_lock, reason = "clippy is mistaken, too")]
async fn dropped(credit: &Mutex<u32>) {
    let mut guard = credit.lock().expect("not poisoned");
    *guard -= 30;
    drop(guard);
    notify().await;
}

// ANCHOR: fixed
async fn buy(credit: Arc<Mutex<u32>>) {
    {
        let mut guard = credit.lock().expect("not poisoned");
        *guard -= 30;
    }
    notify().await;
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let credit = Arc::new(Mutex::new(100));
    let reads = async { credit.try_lock().map(|credit| *credit).ok() };
    let ((), seen) = tokio::join!(dropped(&credit), reads);
    println!("drop: during the await the lock is free: {}", seen.is_some());
    assert_eq!(seen, Some(70));

    tokio::spawn(buy(Arc::clone(&credit))).await?;
    let left = *credit.lock().expect("not poisoned");
    println!("a block: it runs as a task, {left} left");
    assert_eq!((left, NOTIFIED.load(Relaxed)), (40, 2));
    Ok(())
}
// ANCHOR_END: all
