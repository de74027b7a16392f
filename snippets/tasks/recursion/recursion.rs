// ANCHOR: all
use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use anyhow::{Context, Result};
use futures::stream::{FuturesUnordered, StreamExt};
use tokio::time::{Instant, sleep};

const HOUR: Duration = Duration::from_secs(3600);

/// Where the passages of each chamber lead. You see it when you are there.
const CAVE: [&[usize]; 8] =
    [&[1, 2, 3], &[0, 4], &[0, 4, 5], &[0, 6], &[1, 2], &[2, 7], &[3], &[5]];

// ANCHOR: visit
/// Takes an hour for each passage.
async fn visit(chamber: usize) -> Result<&'static [usize]> {
    let passages = *CAVE.get(chamber).context("no such chamber")?;
    sleep(HOUR * u32::try_from(passages.len())?).await;
    Ok(passages)
}
// ANCHOR_END: visit

// ANCHOR: walk
/// Calls itself, for one chamber after the other.
async fn walk(chamber: usize, seen: &mut HashSet<usize>) -> Result<()> {
    for &passage in visit(chamber).await? {
        if seen.insert(passage) {
            Box::pin(walk(passage, seen)).await?;
        }
    }
    Ok(())
}
// ANCHOR_END: walk

// ANCHOR: explore
/// Keeps a list of what lies ahead, for as many teams as you have.
async fn explore(start: usize, teams: usize) -> Result<HashSet<usize>> {
    // ANCHOR: list
    let mut seen = HashSet::from([start]);
    let mut ahead = VecDeque::from([start]);
    let mut visits = FuturesUnordered::new();
    // ANCHOR_END: list
    loop {
        // ANCHOR: start
        let free = teams - visits.len();
        visits.extend(ahead.drain(..free.min(ahead.len())).map(visit));
        // ANCHOR_END: start
        // ANCHOR: end
        let Some(passages) = visits.next().await else { return Ok(seen) };
        ahead.extend(passages?.iter().filter(|&&next| seen.insert(next)));
        // ANCHOR_END: end
    }
}
// ANCHOR_END: explore

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<()> {
    let start = Instant::now();
    let mut walked = HashSet::from([0]);
    walk(0, &mut walked).await?;
    let time = start.elapsed();
    println!("recursion: {} chambers, {} h", walked.len(), hours(time));
    assert_eq!((walked.len(), time), (8, 16 * HOUR));

    let start = Instant::now();
    let explored = explore(0, 3).await?;
    let time = start.elapsed();
    println!("a list: {} chambers, {} h", explored.len(), hours(time));
    assert_eq!((explored, time), (walked, 9 * HOUR));

    // Without a team, what you see is where you stand.
    assert_eq!(explore(0, 0).await?, HashSet::from([0]));
    Ok(())
}

fn hours(time: Duration) -> u64 {
    time.as_secs() / 3600
}
// ANCHOR_END: all
