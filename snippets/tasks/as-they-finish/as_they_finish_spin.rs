// ANCHOR: all
use std::time::Duration;

use anyhow::Result;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

const HOUR: Duration = Duration::from_secs(3600);

async fn track(parcel: u32) -> u32 {
    sleep(HOUR / 4).await;
    parcel
}

/// A parcel an hour, two in all.
fn parcels() -> (JoinSet<()>, mpsc::Receiver<u32>) {
    let (parcels_tx, parcels_rx) = mpsc::channel(1);
    let producer = async move {
        for parcel in [7, 8] {
            sleep(HOUR).await;
            parcels_tx.send(parcel).await.expect("it is received");
        }
    };
    (JoinSet::from_iter([producer]), parcels_rx)
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<()> {
    let (mut rounds, mut results) = (0, Vec::new());
    let other = tokio::spawn(async {});
    let (producer, mut parcels_rx) = parcels();
    let mut tasks = JoinSet::<u32>::new();
    while rounds < 1000 {
        rounds += 1;
        // ANCHOR: broken
        tokio::select! {
            Some(parcel) = parcels_rx.recv() => {
                tasks.spawn(track(parcel));
            }
            end = tasks.join_next() => results.extend(end.transpose()?),
        }
        // ANCHOR_END: broken
    }
    println!("broken: {rounds} rounds before the first parcel");
    assert!(results.is_empty());
    assert!(!other.is_finished(), "it does not get the thread");
    other.await?;
    drop(producer);

    let (producer, mut parcels_rx) = parcels();
    rounds = 0;
    let all = async {
        loop {
            rounds += 1;
            // ANCHOR: fixed
            tokio::select! {
                Some(parcel) = parcels_rx.recv() => {
                    tasks.spawn(track(parcel));
                }
                Some(end) = tasks.join_next() => results.push(end?),
                else => break, // no more parcels, and no task
            }
            // ANCHOR_END: fixed
        }
        anyhow::Ok(())
    };
    timeout(24 * HOUR, all).await??;
    println!("fixed: {rounds} rounds, parcels {results:?}");
    assert_eq!((rounds, results), (5, vec![7, 8]));
    producer.join_all().await;
    Ok(())
}
// ANCHOR_END: all
