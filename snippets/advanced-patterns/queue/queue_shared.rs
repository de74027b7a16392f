// ANCHOR: all
use std::time::Duration;

use async_channel::{Receiver, Sender, bounded, unbounded};
use futures::StreamExt;
use tokio::task::JoinSet;
use tokio::time::sleep;

async fn cook(orders: Receiver<u32>, served: Sender<u32>) {
    while let Ok(table) = orders.recv().await {
        assert_ne!(table, 13, "the oven is on fire");
        sleep(Duration::from_secs(10)).await;
        served.send(table).await.expect("somebody counts");
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let (hatch, orders) = bounded(8);
    let (bell, served) = unbounded();
    let mut cooks = JoinSet::new();
    for _ in 0..3 {
        cooks.spawn(cook(orders.clone(), bell.clone()));
    }
    drop((orders, bell));

    for table in 1..=100 {
        hatch.send(table).await?;
    }
    drop(hatch);
    let mut served: Vec<u32> = served.collect().await;
    served.sort();
    println!("{} orders are served", served.len());
    assert!(served.into_iter().eq((1..=100).filter(|table| *table != 13)));

    let ends = std::iter::from_fn(|| cooks.try_join_next());
    let panics = ends.filter(|end| end.as_ref().is_err_and(|e| e.is_panic()));
    assert_eq!(panics.count(), 1);
    Ok(())
}
// ANCHOR_END: all
