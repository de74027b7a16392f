// ANCHOR: all
use std::time::Duration;

use anyhow::Result;
use futures::stream::{FuturesUnordered, StreamExt};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

/// Asks a carrier by one request or more, which take a second each.
async fn track(parcel: u32, requests: u32) -> String {
    let all = async {
        for _ in 0..requests {
            sleep(SECOND).await;
        }
    };
    match timeout(3 * SECOND, all).await {
        Ok(()) => format!("parcel {parcel}: in transit"),
        Err(_) => format!("parcel {parcel}: a timeout"),
    }
}

/// Stores a result, which takes five seconds.
async fn store(stored: &mut Vec<String>, result: String) {
    sleep(5 * SECOND).await;
    stored.push(result);
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<()> {
    let mut stored = Vec::new();
    // ANCHOR: broken
    let mut results = FuturesUnordered::from_iter([track(7, 1), track(8, 2)]);
    while let Some(result) = results.next().await {
        store(&mut stored, result).await; // meanwhile parcel 8 is not polled
    }
    // ANCHOR_END: broken
    println!("FuturesUnordered: {}", stored.join(", "));
    assert_eq!(stored, ["parcel 7: in transit", "parcel 8: a timeout"]);

    stored.clear();
    // ANCHOR: fixed
    let mut results = JoinSet::from_iter([track(7, 1), track(8, 2)]);
    while let Some(result) = results.join_next().await {
        store(&mut stored, result?).await;
    }
    // ANCHOR_END: fixed
    println!("JoinSet: {}", stored.join(", "));
    assert_eq!(stored, ["parcel 7: in transit", "parcel 8: in transit"]);
    Ok(())
}
// ANCHOR_END: all
