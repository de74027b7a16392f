// ANCHOR: all
use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use tokio::sync::mpsc;
use tokio::task::yield_now;

async fn prepare(table: u32) {
    yield_now().await;
    assert_ne!(table, 3, "the pan is on the floor");
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: broken
    // Broken: the cook's panic takes along what it holds, the hatch too.
    let (orders, mut hatch) = mpsc::channel(4);
    let (dishes, mut counter) = mpsc::channel(10);
    let cook = tokio::spawn(async move {
        while let Some(table) = hatch.recv().await {
            prepare(table).await;
            dishes.send(table).await.expect("ten have room");
        }
    });
    let mut refused = Vec::new();
    for table in 1..=10 {
        if let Err(error) = orders.send(table).await {
            refused.push(error.0);
        }
    }
    assert!(cook.await.unwrap_err().is_panic());
    let mut served = Vec::new();
    while let Some(table) = counter.recv().await {
        served.push(table);
    }
    assert_eq!(served, [1, 2]);
    assert_eq!(refused, [8, 9, 10]);
    let known = [served.clone(), refused.clone()].concat();
    let lost: Vec<_> = (1..=10).filter(|n| !known.contains(n)).collect();
    assert_eq!(lost, [3, 4, 5, 6, 7], "one in hand, four in the hatch");
    println!("served {served:?}, refused {refused:?}, lost {lost:?}");
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: the panic ends with the order that caused it.
    let (orders, mut hatch) = mpsc::channel(4);
    let cook = tokio::spawn(async move {
        let (mut served, mut returned) = (Vec::new(), Vec::new());
        while let Some(table) = hatch.recv().await {
            match AssertUnwindSafe(prepare(table)).catch_unwind().await {
                Ok(()) => served.push(table),
                Err(_) => returned.push(table),
            }
        }
        (served, returned)
    });
    for table in 1..=10 {
        orders.send(table).await?;
    }
    drop(orders);
    let (served, returned) = cook.await?;
    assert_eq!(served, [1, 2, 4, 5, 6, 7, 8, 9, 10]);
    assert_eq!(returned, [3]);
    println!("served {served:?}, returned {returned:?}");
    // ANCHOR_END: fixed
    Ok(())
}
// ANCHOR_END: all
