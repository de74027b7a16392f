// ANCHOR: all
// ANCHOR: keep
use std::collections::{HashSet, VecDeque};
use std::future::Future;
use std::num::NonZeroUsize;

use anyhow::{Result, ensure};
use futures::stream::{FuturesUnordered, StreamExt};

// ANCHOR: walk
/// Visits what is below an item by recursion, one after the other.
async fn walk<F: Future<Output = Result<Vec<u32>>>>(
    item: u32,
    depth: usize,
    seen: &mut HashSet<u32>,
    list: &impl Fn(u32) -> F,
) -> Result<()> {
    if !seen.insert(item) {
        return Ok(()); // it was visited before: a cycle, or a second way
    }
    ensure!(depth > 0, "item {item} is too deep");
    for child in list(item).await? {
        Box::pin(walk(child, depth - 1, seen, list)).await?;
    }
    Ok(())
}
// ANCHOR_END: walk

// ANCHOR: crawl
/// Visits the same items from a worklist, up to `limit` at a time.
async fn crawl<F: Future<Output = Result<Vec<u32>>>>(
    item: u32,
    limit: NonZeroUsize,
    most: usize,
    list: impl Fn(u32) -> F,
) -> Result<HashSet<u32>> {
    let mut seen = HashSet::from([item]);
    let mut waiting = VecDeque::from([item]);
    let mut running = FuturesUnordered::new();
    loop {
        while running.len() < limit.get() {
            let Some(item) = waiting.pop_front() else { break };
            running.push(list(item));
        }
        let Some(children) = running.next().await else { return Ok(seen) };
        for child in children? {
            if seen.insert(child) {
                waiting.push_back(child);
            }
        }
        ensure!(seen.len() <= most, "more than {most} items");
    }
}
// ANCHOR_END: crawl
// ANCHOR_END: keep

// A shipment has boxes, and a box has boxes or parcels. A carrier's API lists
// what is in one.
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use anyhow::bail;
use tokio::time::{Instant, sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

/// Eight items: 4 is in 1 and 2, and 6 says that it has 3, which has 6.
const SHIPMENT: [&[u32]; 8] =
    [&[1, 2, 3], &[4], &[4, 5], &[6], &[], &[7], &[3], &[]];

/// How many requests run, ran at the same time, and were made.
#[derive(Default)]
struct Carrier {
    running: AtomicUsize,
    peak: AtomicUsize,
    requests: AtomicUsize,
}

struct Running<'a>(&'a Carrier);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Relaxed);
    }
}

impl Carrier {
    /// Takes a second. Items from 100 on fail in some way.
    async fn list(&self, item: u32) -> Result<Vec<u32>> {
        self.requests.fetch_add(1, Relaxed);
        let running = self.running.fetch_add(1, Relaxed) + 1;
        let _running = Running(self);
        self.peak.fetch_max(running, Relaxed);
        sleep(SECOND).await;
        Ok(match item {
            100 => vec![101, 102, 103, 104],
            101 => vec![1000],
            102 => bail!("item 102: 503"),
            103 => panic!("item 103 has no list"),
            104 => pending().await,
            200 => vec![104, 102],
            300 => vec![103],
            1000.. => vec![item + 1], // a chain without an end
            _ => SHIPMENT[item as usize].to_vec(),
        })
    }
}

fn number(number: usize) -> NonZeroUsize {
    NonZeroUsize::new(number).expect("not 0")
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<()> {
    let carrier = Arc::new(Carrier::default());
    let eight: HashSet<u32> = (0..8).collect();
    let list = |item| {
        let carrier = Arc::clone(&carrier);
        async move { carrier.list(item).await }
    };

    let start = Instant::now();
    // ANCHOR: call_walk
    let mut items = HashSet::new();
    walk(0, 50, &mut items, &list).await?;
    // ANCHOR_END: call_walk
    println!("walk: {} items, {:?}", items.len(), start.elapsed());
    assert_eq!((&items, start.elapsed()), (&eight, 8 * SECOND));
    assert_eq!(carrier.requests.swap(0, Relaxed), 8, "each item once");
    assert_eq!(carrier.peak.swap(0, Relaxed), 1);

    let start = Instant::now();
    // ANCHOR: crawled
    // ANCHOR: call_crawl
    let limit = NonZeroUsize::new(3).expect("not 0");
    let items = crawl(0, limit, 10_000, &list).await?;
    // ANCHOR_END: call_crawl
    // ANCHOR_END: crawled
    println!("crawl: {} items, {:?}", items.len(), start.elapsed());
    assert_eq!((items, start.elapsed()), (eight, 4 * SECOND));
    assert_eq!(carrier.requests.swap(0, Relaxed), 8);
    assert_eq!(carrier.peak.swap(0, Relaxed), 3);

    // The limit of the depth counts the root.
    assert!(walk(0, 4, &mut HashSet::new(), &list).await.is_ok());
    let error = walk(0, 3, &mut HashSet::new(), &list).await;
    assert_eq!(error.expect_err("a limit").to_string(), "item 7 is too deep");
    let error = walk(1000, 50, &mut HashSet::new(), &list).await;
    let error = error.expect_err("a limit");
    println!("deep, walk: {error}");
    assert_eq!(error.to_string(), "item 1050 is too deep");

    carrier.requests.store(0, Relaxed);
    let error = crawl(1000, number(3), 100, &list).await;
    let error = error.expect_err("a limit");
    println!("deep, crawl: {error}");
    assert_eq!(error.to_string(), "more than 100 items");
    assert_eq!(carrier.requests.load(Relaxed), 100);
    assert_eq!(crawl(0, number(1), 8, &list).await?.len(), 8);
    assert!(crawl(0, number(1), 7, &list).await.is_err());

    // One branch fails, and another one is silent.
    let start = Instant::now();
    let error = crawl(200, number(3), 100, &list).await;
    let error = error.expect_err("it fails");
    println!("fails: {error}, after {:?}", start.elapsed());
    assert_eq!(start.elapsed(), 2 * SECOND);
    assert_eq!(carrier.running.load(Relaxed), 0, "the others are dropped");
    let walked = walk(102, 3, &mut HashSet::new(), &list).await;
    assert!(walked.is_err());

    // It goes on if `list` returns an empty list in place of an error.
    let lenient = |item| {
        let listed = list(item);
        async move { listed.await.or_else(|_| Ok(vec![])) }
    };
    assert_eq!(crawl(102, number(3), 100, lenient).await?.len(), 1);

    // One panics.
    let list_own = {
        let carrier = Arc::clone(&carrier);
        move |item| {
            let carrier = Arc::clone(&carrier);
            async move { carrier.list(item).await }
        }
    };
    let crawled = tokio::spawn(crawl(300, number(3), 100, list_own.clone()));
    let error = crawled.await.expect_err("it panics");
    println!("panics: {}", error.is_panic());
    assert_eq!(carrier.running.load(Relaxed), 0);
    let walked =
        async move { walk(300, 3, &mut HashSet::new(), &list_own).await };
    assert!(tokio::spawn(walked).await.is_err_and(|error| error.is_panic()));

    // The caller gives up.
    let late = timeout(10 * SECOND, crawl(104, number(3), 100, &list)).await;
    println!("silent: {}", late.is_err());
    assert!(late.is_err());
    assert_eq!(carrier.running.load(Relaxed), 0);
    Ok(())
}
// ANCHOR_END: all
