// ANCHOR: all
use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt};
use tokio::time::{Instant, sleep};

/// A count, and whether it is so close that it is counted again.
async fn count(district: &'static str, minutes: u64) -> (&'static str, bool) {
    sleep(Duration::from_secs(60 * minutes)).await;
    (district, district == "Harbour" && minutes == 20)
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let (start, mut screen) = (Instant::now(), Vec::new());
    let mut counts = FuturesUnordered::new();
    counts.push(count("Old Town", 90));
    counts.push(count("Harbour", 20));
    counts.push(count("Hills", 45));
    // ANCHOR: more
    while let Some((district, close)) = counts.next().await {
        let minutes = start.elapsed().as_secs() / 60;
        println!("after {minutes} min: {district}");
        screen.push((minutes, district));
        if close {
            counts.push(count(district, 30)); // it begins at the next `next`
        }
    }
    // ANCHOR_END: more
    assert_eq!(
        screen,
        [(20, "Harbour"), (45, "Hills"), (50, "Harbour"), (90, "Old Town")]
    );
}
// ANCHOR_END: all
