// ANCHOR: all
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

// ANCHOR: sold_out
#[derive(Debug, thiserror::Error)]
#[error("sold out")]
struct SoldOut;
// ANCHOR_END: sold_out

// ANCHOR: prepare
async fn prepare(table: u32) -> Result<(), SoldOut> {
    sleep(Duration::from_secs(10)).await;
    assert_ne!(table, 13, "the pan is on the floor");
    if table.is_multiple_of(10) { Err(SoldOut) } else { Ok(()) }
}
// ANCHOR_END: prepare

#[derive(Default)]
struct Tally {
    served: Vec<u32>,
    returned: Vec<(u32, String)>,
}

// ANCHOR: cook
async fn cook(hatch: Arc<Mutex<mpsc::Receiver<u32>>>) -> Tally {
    let mut tally = Tally::default();
    loop {
        // The guard is gone at the end of this line, before the work.
        let next = hatch.lock().await.recv().await;
        let Some(table) = next else { return tally };
        match AssertUnwindSafe(prepare(table)).catch_unwind().await {
            Ok(Ok(())) => tally.served.push(table),
            Ok(Err(error)) => tally.returned.push((table, error.to_string())),
            Err(_) => tally.returned.push((table, "panic".into())),
        }
    }
}
// ANCHOR_END: cook

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let start = Instant::now();
    // ANCHOR: open
    let (orders, hatch) = mpsc::channel(8);
    let hatch = Arc::new(Mutex::new(hatch));
    let mut kitchen = JoinSet::new();
    for _ in 0..3 {
        kitchen.spawn(cook(hatch.clone()));
    }
    drop(hatch); // the cooks have it: with the last of them it closes
    // ANCHOR_END: open

    // ANCHOR: close
    for table in 1..=100 {
        orders.send(table).await?; // waits while eight are in the hatch
    }
    drop(orders); // the cooks finish what is there, and go home

    let (mut served, mut returned) = (Vec::new(), Vec::new());
    while let Some(tally) = kitchen.join_next().await {
        let tally = tally?;
        served.extend(tally.served);
        returned.extend(tally.returned);
    }
    // ANCHOR_END: close

    assert_eq!(start.elapsed(), Duration::from_secs(340)); // 34 rounds
    assert!(returned.contains(&(13, "panic".into())));
    assert!(returned.contains(&(20, "sold out".into())));
    println!("{} served, {} returned", served.len(), returned.len());

    // ANCHOR: each_once
    served.extend(returned.into_iter().map(|(table, _)| table));
    served.sort();
    assert!(served.into_iter().eq(1..=100), "each exactly once");
    // ANCHOR_END: each_once
    Ok(())
}
// ANCHOR_END: all
