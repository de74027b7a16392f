// ANCHOR: all
use std::collections::HashSet;
use std::time::Duration;

use futures::stream::{self, FuturesUnordered, StreamExt};
use tokio::time::sleep;

const HOUR: Duration = Duration::from_secs(3600);

/// The hours that each chamber takes, and where it leads. From 0 to 4 it is
/// shorter by 1, and quicker by 2 and 3.
const CAVE: [(u32, &[usize]); 6] =
    [(1, &[2, 1]), (9, &[4]), (1, &[3]), (1, &[4]), (1, &[5]), (1, &[])];

async fn visit(chamber: usize) -> &'static [usize] {
    let (hours, passages) = CAVE[chamber];
    sleep(hours * HOUR).await;
    passages
}

// ANCHOR: broken
/// Broken: three chambers deep, it has seen 4, and turns back. By the short
/// way it would come to 5, and 4 has been seen.
async fn walk(chamber: usize, deep: u32, seen: &mut HashSet<usize>) {
    if deep == 3 {
        return;
    }
    for &passage in visit(chamber).await {
        if seen.insert(passage) {
            Box::pin(walk(passage, deep + 1, seen)).await;
        }
    }
}

/// Broken too: the first way is that of the team that is back first.
async fn by_list(start: usize, deepest: u32) -> HashSet<usize> {
    let look = async |chamber, deep| (visit(chamber).await, deep + 1);
    let mut seen = HashSet::from([start]);
    let mut visits = FuturesUnordered::from_iter([look(start, 0)]);
    while let Some((passages, deep)) = visits.next().await {
        for &passage in passages {
            if seen.insert(passage) && deep < deepest {
                visits.push(look(passage, deep));
            }
        }
    }
    seen
}
// ANCHOR_END: broken

// ANCHOR: fixed
/// Fixed: level by level, three at once. What is seen is seen by the shortest
/// way.
async fn by_levels(start: usize, deepest: u32) -> HashSet<usize> {
    let mut seen = HashSet::from([start]);
    let mut level = vec![start];
    for _ in 0..deepest {
        let visits = stream::iter(level).map(visit).buffer_unordered(3);
        let passages: Vec<_> = visits.collect().await;
        let new = passages.into_iter().flatten().copied();
        level = new.filter(|&passage| seen.insert(passage)).collect();
    }
    seen
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let mut seen = HashSet::from([0]);
    walk(0, 0, &mut seen).await;
    println!("by recursion: {} of 6 chambers", seen.len());
    assert!(!seen.contains(&5));

    let seen = by_list(0, 3).await;
    println!("by a list: {} of 6 chambers", seen.len());
    assert!(!seen.contains(&5));

    let seen = by_levels(0, 3).await;
    println!("by levels: {} of 6 chambers", seen.len());
    assert!(seen.contains(&5));
}
// ANCHOR_END: all
