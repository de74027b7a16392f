// ANCHOR: all
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use anyhow::bail;
use futures::future::{BoxFuture, FutureExt, join_all, try_join_all};
use futures::stream::{self, StreamExt};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

/// How many parcels were tracked.
static TRACKED: AtomicU32 = AtomicU32::new(0);

type Tracking = BoxFuture<'static, anyhow::Result<u64>>;

/// Takes so many seconds. The one that takes two may fail, or panic.
fn track(seconds: u64, end: &'static str) -> Tracking {
    let track = async move {
        sleep(Duration::from_secs(seconds)).await;
        match end {
            "error" if seconds == 2 => bail!("404 Not Found"),
            "panic" if seconds == 2 => panic!("a comma in the number"),
            _ => TRACKED.fetch_add(1, Relaxed),
        };
        Ok(seconds)
    };
    track.boxed()
}

// ANCHOR: ways
async fn run(way: &str, futures: [Tracking; 3]) -> anyhow::Result<Vec<u64>> {
    let results = match way {
        "join_all" => join_all(futures).await,
        "try_join_all" => return try_join_all(futures).await,
        "buffered" => stream::iter(futures).buffered(3).collect().await,
        "buffer_unordered" => {
            stream::iter(futures).buffer_unordered(3).collect().await
        }
        "spawn" => {
            let tasks = futures.map(tokio::spawn);
            let joined = join_all(tasks).await.into_iter();
            joined.map(|joined| joined?).collect()
        }
        _ => {
            let mut tasks = JoinSet::from_iter(futures);
            let mut results = Vec::new();
            while let Some(joined) = tasks.join_next().await {
                results.push(async { joined? }.await);
            }
            results
        }
    };
    results.into_iter().collect()
}
// ANCHOR_END: ways

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    for (way, order, after_error, after_panic, after_cancel) in [
        ("join_all", [3, 1, 2], 2, 1, 1),
        ("try_join_all", [3, 1, 2], 1, 1, 1),
        ("buffered", [3, 1, 2], 2, 1, 1),
        ("buffer_unordered", [1, 2, 3], 2, 1, 1),
        ("JoinSet", [1, 2, 3], 2, 2, 1),
        ("spawn", [3, 1, 2], 2, 2, 3),
    ] {
        let tracked = || async {
            sleep(60 * SECOND).await;
            TRACKED.swap(0, Relaxed)
        };
        let futures = |end| [3, 1, 2].map(|seconds| track(seconds, end));
        let results = run(way, futures("success")).await?;
        assert_eq!(tracked().await, 3);

        let error = run(way, futures("error")).await.expect_err("404");
        assert_eq!(error.to_string(), "404 Not Found");
        let error = tracked().await;

        let is_error = match tokio::spawn(run(way, futures("panic"))).await {
            Ok(result) => result.is_err(),
            Err(error) => !error.is_panic(),
        };
        assert_eq!(is_error, ["JoinSet", "spawn"].contains(&way));
        let panic = tracked().await;

        let cancelled = run(way, futures("success"));
        assert!(timeout(3 * SECOND / 2, cancelled).await.is_err());
        let cancel = tracked().await;

        println!(
            "{way}: {results:?}; error: {error} of 3, panic: {panic} of 3, \
             cancelled: {cancel} of 3"
        );
        assert_eq!(results, order);
        assert_eq!(
            (error, panic, cancel),
            (after_error, after_panic, after_cancel)
        );
    }

    // Two at a time, and the first one is slow.
    let futures = [3, 1, 1, 1].map(|seconds| track(seconds, "success"));
    let start = Instant::now();
    stream::iter(futures).buffered(2).collect::<Vec<_>>().await;
    println!("buffered(2): {} s", start.elapsed().as_secs());
    assert_eq!(start.elapsed(), 4 * SECOND);
    let futures = [3, 1, 1, 1].map(|seconds| track(seconds, "success"));
    let start = Instant::now();
    stream::iter(futures).buffer_unordered(2).collect::<Vec<_>>().await;
    println!("buffer_unordered(2): {} s", start.elapsed().as_secs());
    assert_eq!(start.elapsed(), 3 * SECOND);
    Ok(())
}
// ANCHOR_END: all
