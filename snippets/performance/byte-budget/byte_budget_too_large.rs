// ANCHOR: all
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

const TOTAL: u32 = 16_000_000;

// ANCHOR: fixed
async fn reserve(budget: &Semaphore, size: u32) -> Option<SemaphorePermit<'_>> {
    if size > TOTAL {
        return None;
    }
    budget.acquire_many(size).await.ok()
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let day = Duration::from_secs(24 * 60 * 60);

    // ANCHOR: broken
    let budget = Semaphore::new(16_000_000);
    let large = timeout(day, budget.acquire_many(20_000_000));
    let small = timeout(day, budget.acquire_many(1));
    let (large, small) = tokio::join!(large, small);
    // ANCHOR_END: broken
    assert!(large.is_err() && small.is_err());
    let free = budget.available_permits();
    println!("after a day {free} bytes are free, and one byte waits");
    assert_eq!(free, 16_000_000);

    let large = reserve(&budget, 20_000_000).await;
    println!("reserve: {}", if large.is_none() { "refused" } else { "got it" });
    assert!(large.is_none());
    let all = reserve(&budget, TOTAL).await.expect("it fits");
    assert_eq!(budget.available_permits(), 0);
    drop(all);
    let small = reserve(&budget, 1).await.expect("it fits");
    assert_eq!(small.num_permits(), 1);
}
// ANCHOR_END: all
