// ANCHOR: all
use std::collections::HashSet;
use std::time::Duration;

use futures::stream::{self, FuturesUnordered, StreamExt};
use tokio::time::sleep;

const SECOND: Duration = Duration::from_secs(1);

/// The seconds that each item takes, and what is in it. Item 4 is in 1, and by
/// a longer and quicker way in 2 and 3.
const ITEMS: [(u32, &[usize]); 6] =
    [(1, &[2, 1]), (9, &[4]), (1, &[3]), (1, &[4]), (1, &[5]), (1, &[])];

async fn list(item: usize) -> &'static [usize] {
    let (seconds, children) = ITEMS[item];
    sleep(seconds * SECOND).await;
    children
}

// ANCHOR: broken
async fn walk(item: usize, depth: u32, seen: &mut HashSet<usize>) {
    if depth == 0 {
        return;
    }
    for &child in list(item).await {
        if seen.insert(child) {
            Box::pin(walk(child, depth - 1, seen)).await;
        }
    }
}
// ANCHOR_END: broken

/// A worklist has the same fault: the first way is the one that is quicker.
async fn by_list(item: usize, depth: u32) -> HashSet<usize> {
    let look = async |item, depth| (list(item).await, depth - 1);
    let mut seen = HashSet::from([item]);
    let mut running = FuturesUnordered::from_iter([look(item, depth)]);
    while let Some((children, depth)) = running.next().await {
        for &child in children {
            if seen.insert(child) && depth > 0 {
                running.push(look(child, depth));
            }
        }
    }
    seen
}

// ANCHOR: fixed
async fn by_levels(item: usize, depth: u32) -> HashSet<usize> {
    let (mut seen, mut level) = (HashSet::from([item]), vec![item]);
    for _ in 0..depth {
        let lists = stream::iter(level).map(list).buffer_unordered(3);
        let children: Vec<_> = lists.collect().await;
        let new = children.into_iter().flatten().copied();
        level = new.filter(|&child| seen.insert(child)).collect();
    }
    seen
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let mut seen = HashSet::from([0]);
    walk(0, 3, &mut seen).await;
    println!("by recursion: {} of 6 items", seen.len());
    assert!(seen.len() == 5 && !seen.contains(&5));

    let seen = by_list(0, 3).await;
    println!("by a worklist: {} of 6 items", seen.len());
    assert!(seen.len() == 5 && !seen.contains(&5));

    let seen = by_levels(0, 3).await;
    println!("by levels: {} of 6 items", seen.len());
    assert_eq!(seen.len(), 6);
    assert_eq!(by_levels(0, 2).await.len(), 5, "item 5 is at depth 3");
}
// ANCHOR_END: all
