// ANCHOR: lib
// ANCHOR: keep
use std::cell::Cell;
use std::time::Duration;

use futures::{StreamExt, stream};
use tokio::time::{Instant, sleep};

#[derive(Debug, PartialEq)]
pub struct Unavailable;

// ANCHOR: track
/// Sends a request. If it fails, sends it again after 1, 2 and 4 s.
pub async fn track(
    mut request: impl AsyncFnMut() -> Result<u32, Unavailable>,
) -> Result<u32, Unavailable> {
    for wait in [1, 2, 4] {
        if let Ok(events) = request().await {
            return Ok(events);
        }
        sleep(Duration::from_secs(wait)).await;
    }
    request().await
}
// ANCHOR_END: track

// ANCHOR: track_all
/// Runs three requests at a time.
pub async fn track_all(
    request: impl AsyncFn(u32) -> u32,
    parcels: &[u32],
) -> Vec<u32> {
    let requests = parcels.iter().map(|&parcel| request(parcel));
    stream::iter(requests).buffered(3).collect().await
}
// ANCHOR_END: track_all
// ANCHOR_END: keep

// ANCHOR: returned
#[tokio::test]
async fn it_returns_the_number_of_events() {
    assert_eq!(track(async || Ok(3)).await, Ok(3));
}
// ANCHOR_END: returned

// ANCHOR: waits
#[tokio::test(start_paused = true)]
async fn it_retries_after_1_2_and_4_seconds() {
    let start = Instant::now();
    let mut requests = Vec::new();
    let request = async || {
        requests.push(start.elapsed().as_secs());
        Err(Unavailable)
    };
    assert_eq!(track(request).await, Err(Unavailable));
    assert_eq!(requests, [0, 1, 3, 7]);
}
// ANCHOR_END: waits

// ANCHOR: concurrent
#[tokio::test(start_paused = true)]
async fn three_requests_run_at_a_time() {
    let start = Instant::now();
    let (running, peak) = (Cell::new(0), Cell::new(0));
    let request = async |parcel| {
        running.set(running.get() + 1);
        peak.set(peak.get().max(running.get()));
        sleep(Duration::from_secs(1)).await;
        running.set(running.get() - 1);
        parcel * 10
    };
    let results = track_all(request, &[7, 8, 9, 13, 14]).await;
    assert_eq!(results, [70, 80, 90, 130, 140]);
    assert_eq!((peak.get(), start.elapsed().as_secs()), (3, 2));
}
// ANCHOR_END: concurrent
// ANCHOR_END: lib

/// What the runtime of a test does, and the paused clock.
mod cases {
    use std::future::pending;
    use std::sync::Arc;
    use std::thread;
    use std::time::Duration;

    use tokio::runtime::Builder;
    use tokio::task::yield_now;
    use tokio::time::{Instant, sleep, timeout};

    use super::{Unavailable, track};

    #[tokio::test]
    async fn one_thread() {
        let task = tokio::spawn(async { thread::current().id() });
        assert_eq!(task.await.expect("no panic"), thread::current().id());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn worker_threads() {
        let task = tokio::spawn(async { thread::current().id() });
        assert_ne!(task.await.expect("no panic"), thread::current().id());
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_retry_succeeds() {
        let start = Instant::now();
        let mut results = [Err(Unavailable), Ok(3)].into_iter();
        let request = async || results.next().expect("two requests");
        assert_eq!(track(request).await, Ok(3));
        assert_eq!(start.elapsed(), Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn the_timeout_ends_it() {
        let mut requests = 0;
        let request = async || {
            requests += 1;
            Err(Unavailable)
        };
        let limit = Duration::from_secs(5);
        assert!(timeout(limit, track(request)).await.is_err());
        assert_eq!(requests, 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_is_ready() {
        let start = Instant::now();
        let work = async {
            for _ in 0..1_000 {
                yield_now().await;
            }
            start.elapsed()
        };
        let (worked, ()) = tokio::join!(work, sleep(Duration::from_secs(60)));
        assert_eq!(worked, Duration::ZERO);
        assert_eq!(start.elapsed(), Duration::from_secs(60));
    }

    /// As `#[tokio::test]` runs it, on a thread of its own.
    #[test]
    fn the_test_ends() {
        for panics in [false, true] {
            let owned = Arc::new(());
            let (by_test, by_task) = (owned.clone(), owned.clone());
            let test = async move {
                let _guard = by_test;
                tokio::spawn(async move {
                    pending::<()>().await;
                    drop(by_task);
                });
                yield_now().await;
                assert!(!panics, "the test fails");
            };
            let ended = thread::spawn(|| {
                let runtime = Builder::new_current_thread().build();
                runtime.expect("a runtime").block_on(test);
            });
            assert_eq!(ended.join().is_err(), panics);
            assert_eq!(Arc::strong_count(&owned), 1, "all are dropped");
        }
    }
}
