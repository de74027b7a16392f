// ANCHOR: all
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

async fn track(_parcel: u32) {
    sleep(Duration::from_secs(1)).await;
}

fn alive() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<()> {
    let permits = Arc::new(Semaphore::new(3));
    // ANCHOR: broken
    let mut tasks = JoinSet::new();
    for parcel in 0..1_000 {
        let permits = Arc::clone(&permits);
        tasks.spawn(async move {
            let _permit = permits.acquire().await?;
            track(parcel).await;
            anyhow::Ok(parcel)
        });
    }
    // ANCHOR_END: broken
    println!("a permit inside the task: {} tasks", alive());
    assert_eq!(alive(), 1_000);
    tasks.join_all().await;

    let start = Instant::now();
    let (mut most, mut parcels) = (0, Vec::new());
    // ANCHOR: fixed
    let mut tasks = JoinSet::new();
    for parcel in 0..1_000 {
        let permit = Arc::clone(&permits).acquire_owned().await?;
        while let Some(end) = tasks.try_join_next() {
            parcels.push(end?);
        }
        tasks.spawn(async move {
            track(parcel).await;
            drop(permit);
            parcel
        });
        // ANCHOR_END: fixed
        most = most.max(tasks.len());
    }
    println!("a permit before the spawn: {most} tasks");
    assert!((3..=6).contains(&most));
    parcels.extend(tasks.join_all().await);
    assert!(parcels.into_iter().eq(0..1_000));
    assert_eq!(permits.available_permits(), 3);
    assert_eq!(start.elapsed(), Duration::from_secs(334));
    Ok(())
}
// ANCHOR_END: all
