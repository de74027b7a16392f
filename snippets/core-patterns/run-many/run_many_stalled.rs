// ANCHOR: all
use std::time::Duration;

use futures::stream::{self, StreamExt};
use tokio::task::JoinSet;
use tokio::time::error::Elapsed;
use tokio::time::{Instant, sleep, timeout};

/// Two steps, and a minute for both.
async fn track(parcel: u32) -> Result<u32, Elapsed> {
    let track = async {
        sleep(Duration::from_secs(10) * parcel).await; // connect
        sleep(Duration::from_secs(1)).await; // ask
        parcel
    };
    timeout(Duration::from_secs(60), track).await
}

async fn notify() {
    sleep(Duration::from_secs(600)).await;
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let mut tracked = 0;
    // ANCHOR: broken
    let mut results = stream::iter(1..=3).map(track).buffer_unordered(3);
    while let Some(result) = results.next().await {
        tracked += u32::from(result.is_ok());
        notify().await;
    }
    // ANCHOR_END: broken
    println!("buffer_unordered: {tracked} of 3");
    assert_eq!(tracked, 1, "two have timed out");

    let (mut tracked, start) = (0, Instant::now());
    // ANCHOR: fixed
    let mut tasks = JoinSet::from_iter((1..=3).map(track));
    while let Some(result) = tasks.join_next().await {
        tracked += u32::from(result?.is_ok());
        notify().await;
    }
    // ANCHOR_END: fixed
    println!("JoinSet: {tracked} of 3");
    assert_eq!(tracked, 3);
    assert_eq!(start.elapsed(), Duration::from_secs(11 + 3 * 600));
    Ok(())
}
// ANCHOR_END: all
