// ANCHOR: all
use std::sync::{Arc, Mutex};

use tokio::task::yield_now;

// ANCHOR: broken
// Broken: the lock is free in time, but no task takes this future.
#[expect(clippy::await_holding_lock, reason = "clippy is mistaken, too")]
async fn drops(price: &Mutex<u32>) {
    let mut guard = price.lock().expect("never poisoned");
    *guard += 10;
    drop(guard);
    yield_now().await; // tells the room
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: the guard's block ends before the await.
async fn raise(price: Arc<Mutex<u32>>) {
    {
        let mut guard = price.lock().expect("never poisoned");
        *guard += 10;
    }
    yield_now().await; // tells the room
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let price = Arc::new(Mutex::new(100));
    let looks = async { price.try_lock().map(|price| *price).ok() };
    let ((), seen) = tokio::join!(drops(&price), looks);
    println!("drop, seen meanwhile: {seen:?}");
    assert_eq!(seen, Some(110));

    tokio::spawn(raise(Arc::clone(&price))).await?;
    let sold = *price.lock().expect("never poisoned");
    println!("a block, in a task: {sold}");
    assert_eq!(sold, 120);
    Ok(())
}
// ANCHOR_END: all
