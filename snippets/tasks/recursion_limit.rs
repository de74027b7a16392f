// ANCHOR: all
use std::collections::HashSet;

use futures::stream::{self, StreamExt};
use tokio::task::yield_now;

/// From chamber 0, one passage leads to 3, and another one to 1, 2 and 3.
const CAVE: [&[usize]; 5] = [&[1, 3], &[2], &[3], &[4], &[]];

async fn visit(chamber: usize) -> &'static [usize] {
    yield_now().await;
    CAVE[chamber]
}

// ANCHOR: broken
/// Broken: three chambers deep, it has seen 3, and turns back. By the short
/// way it would come to 4, and 3 has been seen.
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

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut seen = HashSet::from([0]);
    walk(0, 0, &mut seen).await;
    println!("by recursion: {} of 5 chambers", seen.len());
    assert!(!seen.contains(&4));

    let seen = by_levels(0, 3).await;
    println!("by levels: {} of 5 chambers", seen.len());
    assert!(seen.contains(&4));
}
// ANCHOR_END: all
