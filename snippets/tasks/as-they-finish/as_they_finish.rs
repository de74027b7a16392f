// ANCHOR: all
use std::collections::HashMap;
use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

/// A district, and the minutes it takes to count its votes.
const DISTRICTS: [(&str, u64); 3] =
    [("Old Town", 90), ("Harbour", 20), ("Hills", 45)];

// ANCHOR: count
async fn count(minutes: u64) -> Result<u64, &'static str> {
    sleep(Duration::from_secs(60 * minutes)).await;
    if minutes == 45 { Err("the line is dead") } else { Ok(100 * minutes) }
}
// ANCHOR_END: count

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: futures
    // Futures of one task: let each return its name.
    let (start, mut screen) = (Instant::now(), Vec::new());
    // ANCHOR: set
    let mut reports: FuturesUnordered<_> = DISTRICTS
        .into_iter()
        // ANCHOR: key
        .map(async |(district, minutes)| (district, count(minutes).await))
        // ANCHOR_END: key
        .collect();
    // ANCHOR_END: set
    // ANCHOR: next
    while let Some((district, votes)) = reports.next().await {
        let minutes = start.elapsed().as_secs() / 60;
        println!("after {minutes} min: {district} {votes:?}");
        screen.push((district, votes));
    }
    // ANCHOR_END: next
    // ANCHOR: order
    let in_order = [
        ("Harbour", Ok(2000)),
        ("Hills", Err("the line is dead")),
        ("Old Town", Ok(9000)),
    ];
    assert_eq!(screen, in_order);
    // ANCHOR_END: order
    assert_eq!(start.elapsed(), Duration::from_secs(90 * 60));
    // ANCHOR_END: futures

    // ANCHOR: tasks
    // A task each: it has an id from the start.
    let (mut tasks, mut names) = (JoinSet::new(), HashMap::new());
    for (district, minutes) in DISTRICTS {
        names.insert(tasks.spawn(count(minutes)).id(), district);
    }
    let mut screen = Vec::new();
    while let Some(ended) = tasks.join_next_with_id().await {
        let (id, votes) = ended?; // a panic is passed on
        screen.push((names[&id], votes));
    }
    assert_eq!(screen, in_order);
    // ANCHOR_END: tasks
    Ok(())
}
// ANCHOR_END: all
