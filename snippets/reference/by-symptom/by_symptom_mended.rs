// ANCHOR: all
use std::fmt;
use std::future::ready;
use std::pin::pin;
use std::sync::Arc;

use tokio::task::{JoinHandle, JoinSet};

struct Shop {
    bikes: u32,
}

impl Shop {
    /// A task owns what it uses: a clone of the `Arc`, or of the field.
    fn count(self: &Arc<Self>) -> JoinHandle<u32> {
        let shop = Arc::clone(self);
        tokio::spawn(async move { shop.bikes })
    }
}

/// The recursive call is a pointer, so that the future has a size.
async fn spokes(wheels: u32) -> u32 {
    if wheels == 0 { 0 } else { 36 + Box::pin(spokes(wheels - 1)).await }
}

async fn repair() -> Result<&'static str, fmt::Error> {
    Ok("bike")
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // A clone for each task.
    let prices = Arc::new(vec![7, 9]);
    let mut tasks = JoinSet::new();
    for part in 0..2 {
        let prices = prices.clone();
        tasks.spawn(async move { prices[part] });
    }
    assert_eq!(tasks.join_all().await.iter().sum::<u32>(), 16);

    assert_eq!(Arc::new(Shop { bikes: 7 }).count().await?, 7);
    assert_eq!(spokes(2).await, 72);

    // An async block cannot name its type, its last `Ok` can.
    let both = async {
        let bikes = [repair().await?, repair().await?];
        Ok::<_, fmt::Error>(bikes)
    };
    assert_eq!(both.await?, ["bike", "bike"]);

    // Pinned, it can be lent, and awaited later.
    let mut repaired = pin!(repair());
    let first = tokio::select! {
        biased;
        () = ready(()) => "tea",
        bike = &mut repaired => bike?,
    };
    assert_eq!((first, repaired.await?), ("tea", "bike"));
    println!("all five compile");
    Ok(())
}
// ANCHOR_END: all
