// ANCHOR: all
use anyhow::Result;
use tokio::sync::mpsc;
use tokio::task::{JoinSet, yield_now};

/// A thousand parcels.
fn parcels() -> mpsc::Receiver<u32> {
    let (parcels_tx, parcels_rx) = mpsc::channel(1);
    tokio::spawn(async move {
        for parcel in 0..1000 {
            parcels_tx.send(parcel).await.expect("it is received");
        }
    });
    parcels_rx
}

/// A label, 1 KiB.
async fn label(_parcel: u32) -> Vec<u8> {
    yield_now().await;
    vec![1; 1024]
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<()> {
    let mut parcels_rx = parcels();
    let mut most = 0;
    // ANCHOR: broken
    let mut tasks = JoinSet::new();
    while let Some(parcel) = parcels_rx.recv().await {
        tasks.spawn(label(parcel));
        most = most.max(tasks.len());
    }
    // ANCHOR_END: broken
    println!("broken: the set holds {most} tasks and results");
    assert_eq!(most, 1000);

    let mut parcels_rx = parcels();
    let (mut most, mut labels) = (0, 0);
    // ANCHOR: fixed
    let mut tasks = JoinSet::new();
    while let Some(parcel) = parcels_rx.recv().await {
        tasks.spawn(label(parcel));
        while let Some(end) = tasks.try_join_next() {
            labels += usize::from(end?.len() == 1024);
        }
        most = most.max(tasks.len());
    }
    // ANCHOR_END: fixed
    while let Some(end) = tasks.join_next().await {
        labels += usize::from(end?.len() == 1024);
    }
    println!("fixed: at most {most} tasks, {labels} labels");
    assert_eq!(labels, 1000);
    assert!((1..10).contains(&most));
    Ok(())
}
// ANCHOR_END: all
