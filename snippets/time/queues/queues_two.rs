// ANCHOR: all
use async_channel::{Receiver, bounded};

// ANCHOR: two
/// An urgent job if there is one. `None` if both are closed and empty.
async fn next(
    urgent_rx: &Receiver<u32>,
    bulk_rx: &Receiver<u32>,
) -> Option<u32> {
    tokio::select! {
        biased;
        Ok(job) = urgent_rx.recv() => Some(job),
        Ok(job) = bulk_rx.recv() => Some(job),
        else => None,
    }
}
// ANCHOR_END: two

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let (urgent_tx, urgent_rx) = bounded(8);
    let (bulk_tx, bulk_rx) = bounded(8);
    for parcel in 101..=108 {
        bulk_tx.send(parcel).await?;
    }
    assert!(bulk_tx.is_full());
    urgent_tx.send(1).await?; // has places of its own
    urgent_tx.send(2).await?;
    let mut received = Vec::new();
    for _ in 0..3 {
        received.extend(next(&urgent_rx, &bulk_rx).await);
    }
    urgent_tx.send(3).await?;
    urgent_tx.close();
    received.extend(next(&urgent_rx, &bulk_rx).await);
    bulk_tx.close();
    while let Some(parcel) = next(&urgent_rx, &bulk_rx).await {
        received.push(parcel);
    }
    println!("{received:?}");
    assert_eq!(received, [1, 2, 101, 3, 102, 103, 104, 105, 106, 107, 108]);
    Ok(())
}
// ANCHOR_END: all
