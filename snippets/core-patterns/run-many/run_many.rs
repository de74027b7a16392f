// ANCHOR: all
// ANCHOR: keep
use std::future::Future;
use std::time::Duration;

use futures::stream::{self, StreamExt};
use tokio::time;

/// Runs `work` for each item, at most `limit` at the same time. Returns each
/// item with its result, in the order in which they end.
async fn run_all<I, T, F>(
    items: impl IntoIterator<Item = I>,
    limit: usize,
    timeout: Duration,
    work: impl Fn(I) -> F,
) -> Vec<(I, anyhow::Result<T>)>
where
    I: Clone,
    F: Future<Output = anyhow::Result<T>>,
{
    // ANCHOR: work
    let work = &work;
    let futures = items.into_iter().map(|item| async move {
        let run = time::timeout(timeout, work(item.clone()));
        (item, run.await.unwrap_or_else(|late| Err(late.into())))
    });
    // Without `collect`, this future is not `Send` if the items borrow.
    let futures: Vec<_> = futures.collect();
    // ANCHOR_END: work
    // ANCHOR: limit
    stream::iter(futures).buffer_unordered(limit.max(1)).collect().await
    // ANCHOR_END: limit
}
// ANCHOR_END: keep

// A carrier, and what must come of it.
use std::future::pending;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use anyhow::bail;
use futures::FutureExt;
use tokio::time::{Instant, sleep};

const SECOND: Duration = Duration::from_secs(1);

#[derive(Default)]
struct Carrier {
    pending: AtomicUsize,
    peak: AtomicUsize,
}

/// A pending request. Its end is seen even if it is dropped.
struct Request<'a>(&'a Carrier);

impl Drop for Request<'_> {
    fn drop(&mut self) {
        self.0.pending.fetch_sub(1, Relaxed);
    }
}

impl Carrier {
    /// Answers after a second. Knows neither 404 nor 13, and not the end of 99.
    async fn track(&self, parcel: u32) -> anyhow::Result<&'static str> {
        let pending_now = self.pending.fetch_add(1, Relaxed) + 1;
        let _request = Request(self);
        self.peak.fetch_max(pending_now, Relaxed);
        sleep(SECOND).await;
        match parcel {
            404 => bail!("404 Not Found"),
            13 => panic!("a comma in the number"),
            99 => pending().await,
            _ => Ok("in transit"),
        }
    }

    /// The most requests at a time, and that none is pending.
    fn peak(&self) -> usize {
        assert_eq!(self.pending.load(Relaxed), 0);
        self.peak.swap(0, Relaxed)
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let carrier = Carrier::default();
    let parcels = [7, 8, 404, 99];
    // ANCHOR: call
    let timeout = Duration::from_secs(3);
    let track = |parcel| carrier.track(parcel);
    for (parcel, result) in run_all(parcels, 100, timeout, track).await {
        match result {
            Ok(status) => println!("parcel {parcel}: {status}"),
            Err(error) if error.is::<time::error::Elapsed>() => {
                println!("parcel {parcel}: no answer in 3 s");
            }
            Err(error) => println!("parcel {parcel}: {error}"),
        }
    }
    // ANCHOR_END: call
    assert_eq!(carrier.peak(), 4);

    let start = Instant::now();
    // ANCHOR: one_by_one
    for parcel in 0..5 {
        carrier.track(parcel).await?;
    }
    // ANCHOR_END: one_by_one
    println!("one by one: {} s", start.elapsed().as_secs());
    assert_eq!((start.elapsed(), carrier.peak()), (5 * SECOND, 1));

    let start = Instant::now();
    // ANCHOR: limited
    let results = run_all(0..5, 2, timeout, track).await;
    // ANCHOR_END: limited
    println!("limit 2: {} s", start.elapsed().as_secs());
    assert_eq!((start.elapsed(), carrier.peak()), (3 * SECOND, 2));
    assert!(results.iter().all(|(_, result)| result.is_ok()));
    let tracked: Vec<u32> = results.iter().map(|(parcel, _)| *parcel).collect();
    assert_eq!(tracked, [0, 1, 2, 3, 4]);

    for (case, count, limit, seconds, peak) in [
        ("limit 5", 5, 5, 1, 5),
        ("limit 0", 5, 0, 5, 1),
        ("no parcel", 0, 5, 0, 0),
        ("a thousand", 1_000, 100, 10, 100),
    ] {
        let start = Instant::now();
        let results = run_all(0..count, limit, timeout, |_| carrier.track(7));
        let results = time::timeout(60 * SECOND, results).await?;
        let elapsed = start.elapsed().as_secs();
        println!("{case}: {elapsed} s");
        assert_eq!(results.len(), count);
        assert_eq!((elapsed, carrier.peak()), (seconds, peak));
    }

    let start = Instant::now();
    let mut results = run_all([1, 404, 99, 2], 2, timeout, track).await;
    let seconds = start.elapsed().as_secs();
    println!("one fails, one is silent, limit 2: {seconds} s");
    assert_eq!((start.elapsed(), carrier.peak()), (4 * SECOND, 2));
    results.sort_by_key(|(parcel, _)| *parcel);
    let mut results = results.into_iter().map(|(parcel, result)| {
        (parcel, result.map_err(|error| error.to_string()))
    });
    for (parcel, expected) in [
        (1, Ok("in transit")),
        (2, Ok("in transit")),
        (99, Err("deadline has elapsed".to_owned())),
        (404, Err("404 Not Found".to_owned())),
    ] {
        assert_eq!(results.next(), Some((parcel, expected)));
    }

    let start = Instant::now();
    let results = run_all([99; 10], 2, timeout, track);
    assert!(time::timeout(SECOND / 2, results).await.is_err());
    assert_eq!((start.elapsed(), carrier.peak()), (SECOND / 2, 2));
    println!("cancelled: 2 requests are dropped, and 8 are not sent");

    // In a task, and with items that are borrowed.
    let results = tokio::spawn(async move {
        let (carrier, names) = (Carrier::default(), ["7".to_owned()]);
        let track = |name: &String| {
            let parcel = name.parse();
            let carrier = &carrier;
            async move { carrier.track(parcel?).await }
        };
        let results = run_all(&names, 100, timeout, track).await;
        results.into_iter().all(|(_, result)| result.is_ok())
    });
    assert!(results.await?);

    let results = run_all([13, 99, 99], 2, timeout, track);
    assert!(AssertUnwindSafe(results).catch_unwind().await.is_err());
    assert_eq!(carrier.peak(), 2);
    println!("a panic: the caller panics, and the other is dropped");
    Ok(())
}
// ANCHOR_END: all
