// ANCHOR: all
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

const MINUTE: Duration = Duration::from_secs(60);

async fn ask() -> u32 {
    sleep(MINUTE).await;
    10
}

// ANCHOR: broken
// Broken: both guards are short, and between them the others bid.
async fn looks_before(price: Arc<Mutex<u32>>) {
    let seen = *price.lock().expect("never poisoned");
    let bid = seen + ask().await;
    *price.lock().expect("never poisoned") = bid;
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: first the await, then look and write under one guard.
async fn looks_after(price: Arc<Mutex<u32>>) {
    let amount = ask().await;
    *price.lock().expect("never poisoned") += amount;
}

// Fixed as well: the price stands still while the client thinks about it.
async fn holds(price: Arc<tokio::sync::Mutex<u32>>) {
    let mut price = price.lock().await;
    *price += ask().await;
}
// ANCHOR_END: fixed

/// Ten agents, ten more each. How long does it take?
async fn ten<F: Future<Output = ()> + Send + 'static>(
    agent: impl Fn() -> F,
) -> anyhow::Result<Duration> {
    let start = Instant::now();
    let mut agents = JoinSet::new();
    for _ in 0..10 {
        agents.spawn(agent());
    }
    while let Some(end) = agents.join_next().await {
        end?;
    }
    Ok(start.elapsed())
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let price = Arc::new(Mutex::new(100));
    let took = ten(|| looks_before(price.clone())).await?;
    let sold = *price.lock().expect("never poisoned");
    println!("looks before: {sold}, {took:?}");
    assert_eq!((sold, took), (110, MINUTE), "nine of ten bids are lost");

    let price = Arc::new(Mutex::new(100));
    let took = ten(|| looks_after(price.clone())).await?;
    let sold = *price.lock().expect("never poisoned");
    println!("looks after: {sold}, {took:?}");
    assert_eq!((sold, took), (200, MINUTE));

    let price = Arc::new(tokio::sync::Mutex::new(100));
    let took = ten(|| holds(price.clone())).await?;
    let sold = *price.lock().await;
    println!("holds: {sold}, {took:?}");
    assert_eq!((sold, took), (200, 10 * MINUTE));
    Ok(())
}
// ANCHOR_END: all
