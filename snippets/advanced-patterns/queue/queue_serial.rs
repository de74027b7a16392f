// ANCHOR: all
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

type Hatch = Arc<Mutex<mpsc::Receiver<u32>>>;

// ANCHOR: broken
// Broken: the guard lives as long as the body of the loop.
async fn greedy_cook(hatch: Hatch) {
    while let Some(_table) = hatch.lock().await.recv().await {
        sleep(Duration::from_secs(10)).await;
    }
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: it lives as long as the call.
async fn next_order(hatch: &Hatch) -> Option<u32> {
    hatch.lock().await.recv().await
}

async fn cook(hatch: Hatch) {
    while let Some(_table) = next_order(&hatch).await {
        sleep(Duration::from_secs(10)).await;
    }
}
// ANCHOR_END: fixed

async fn six_orders<F>(cook: fn(Hatch) -> F) -> anyhow::Result<Duration>
where
    F: Future<Output = ()> + Send + 'static,
{
    let start = Instant::now();
    let (orders, hatch) = mpsc::channel(8);
    let hatch = Arc::new(Mutex::new(hatch));
    let mut kitchen = JoinSet::new();
    for _ in 0..3 {
        kitchen.spawn(cook(hatch.clone()));
    }
    for table in 1..=6 {
        orders.send(table).await?;
    }
    drop(orders);
    kitchen.join_all().await;
    Ok(start.elapsed())
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let greedy = six_orders(greedy_cook).await?;
    println!("6 orders, 3 cooks, one at a time: {greedy:?}");
    assert_eq!(greedy, Duration::from_secs(60));
    let good = six_orders(cook).await?;
    println!("6 orders, 3 cooks, all at work: {good:?}");
    assert_eq!(good, Duration::from_secs(20));
    Ok(())
}
// ANCHOR_END: all
