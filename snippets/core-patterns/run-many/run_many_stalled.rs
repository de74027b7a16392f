// ANCHOR: all
use std::time::Duration;

use futures::stream::{self, StreamExt};
use tokio::task::JoinSet;
use tokio::time::error::Elapsed;
use tokio::time::{sleep, timeout};

/// Two steps, and a minute for both: more than enough.
async fn read(station: u32) -> Result<u32, Elapsed> {
    let read = async {
        sleep(Duration::from_secs(10) * station).await; // connect
        sleep(Duration::from_secs(1)).await; // ask
        station
    };
    timeout(Duration::from_secs(60), read).await
}

async fn write_report() {
    sleep(Duration::from_secs(600)).await;
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: broken
    // Broken: while the loop writes, nobody polls the other stations.
    let mut answers = stream::iter(1..=3).map(read).buffer_unordered(3);
    let mut good = 0;
    while let Some(answer) = answers.next().await {
        good += u32::from(answer.is_ok());
        write_report().await;
    }
    println!("buffer_unordered: {good} of 3");
    assert_eq!(good, 1, "two have timed out");
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: tasks go on by themselves.
    let mut tasks = JoinSet::from_iter((1..=3).map(read));
    let mut good = 0;
    while let Some(answer) = tasks.join_next().await {
        good += u32::from(answer?.is_ok());
        write_report().await;
    }
    println!("JoinSet: {good} of 3");
    assert_eq!(good, 3);
    // ANCHOR_END: fixed
    Ok(())
}
// ANCHOR_END: all
