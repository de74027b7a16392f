// ANCHOR: all
use std::time::Duration;

use tokio::time::{Instant, sleep};

async fn track(_parcel: u32) {
    sleep(Duration::from_secs(1)).await;
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let parcels = [1, 2, 3, 4, 5];
    let start = Instant::now();
    // ANCHOR: broken
    let futures = parcels.map(track); // starts none of them
    for future in futures {
        future.await;
    }
    // ANCHOR_END: broken
    println!("futures: {} s", start.elapsed().as_secs());
    assert_eq!(start.elapsed(), Duration::from_secs(5));

    let start = Instant::now();
    // ANCHOR: fixed
    let tasks = parcels.map(|parcel| tokio::spawn(track(parcel)));
    for task in tasks {
        task.await?;
    }
    // ANCHOR_END: fixed
    println!("tasks: {} s", start.elapsed().as_secs());
    assert_eq!(start.elapsed(), Duration::from_secs(1));
    Ok(())
}
// ANCHOR_END: all
