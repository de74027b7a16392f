// ANCHOR: all
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

// ANCHOR: fixed
const BUDGET: u32 = 16_000_000;

#[derive(Debug, PartialEq, thiserror::Error)]
#[error("an export of {0} bytes does not fit into {BUDGET}")]
struct TooBig(u32);

async fn reserve(
    budget: &Semaphore,
    size: u32,
) -> Result<SemaphorePermit<'_>, TooBig> {
    if size > BUDGET {
        return Err(TooBig(size));
    }
    Ok(budget.acquire_many(size).await.expect("never closed"))
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let day = Duration::from_secs(24 * 60 * 60);

    // ANCHOR: broken
    // Broken: it waits for more permits than there are, and whoever comes
    // after it waits behind it.
    let budget = Semaphore::new(BUDGET as usize);
    let big = timeout(day, budget.acquire_many(20_000_000));
    let small = timeout(day, budget.acquire_many(1));
    let (big, small) = tokio::join!(big, small);
    assert!(big.is_err() && small.is_err());
    assert_eq!(budget.available_permits(), 16_000_000);
    // ANCHOR_END: broken
    println!("after a day, all 16 MB are free, and one byte waits");

    // Fixed: it is refused, and holds nobody up.
    let refused = reserve(&budget, 20_000_000).await.unwrap_err();
    println!("{refused}");
    assert_eq!(refused, TooBig(20_000_000));
    let all = reserve(&budget, BUDGET).await.expect("it fits");
    assert_eq!(budget.available_permits(), 0);
    drop(all);
    assert_eq!(budget.available_permits(), 16_000_000);
}
// ANCHOR_END: all
