// ANCHOR: all
use std::future::Future;
use std::sync::Mutex;
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::Mutex as AsyncMutex;
use tokio::time::{Instant, sleep};

/// The carrier's price of a label, after a second.
async fn price() -> u32 {
    sleep(Duration::from_secs(1)).await;
    10
}

async fn broken(credit: &Mutex<u32>) {
    // ANCHOR: broken
    let before = *credit.lock().expect("not poisoned");
    let after = before - price().await;
    *credit.lock().expect("not poisoned") = after;
    // ANCHOR_END: broken
}

async fn fixed(credit: &Mutex<u32>) {
    // ANCHOR: fixed
    let price = price().await;
    *credit.lock().expect("not poisoned") -= price;
    // ANCHOR_END: fixed
}

async fn held(credit: &AsyncMutex<u32>) {
    // ANCHOR: fixed_held
    let mut credit = credit.lock().await; // tokio's lock
    *credit -= price().await;
    // ANCHOR_END: fixed_held
}

/// Ten callers at once: how long do they take?
async fn ten<F: Future>(call: impl Fn() -> F) -> u64 {
    let start = Instant::now();
    join_all((0..10).map(|_| call())).await;
    start.elapsed().as_secs()
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let credit = Mutex::new(100);
    let seconds = ten(|| broken(&credit)).await;
    let left = credit.into_inner().expect("not poisoned");
    println!("read, await, write: {left} left after {seconds} s");
    assert_eq!((left, seconds), (90, 1));

    let credit = Mutex::new(100);
    let seconds = ten(|| fixed(&credit)).await;
    let left = credit.into_inner().expect("not poisoned");
    println!("await, change: {left} left after {seconds} s");
    assert_eq!((left, seconds), (0, 1));

    let credit = AsyncMutex::new(100);
    let seconds = ten(|| held(&credit)).await;
    let left = credit.into_inner();
    println!("one guard across the await: {left} left after {seconds} s");
    assert_eq!((left, seconds), (0, 10));
}
// ANCHOR_END: all
