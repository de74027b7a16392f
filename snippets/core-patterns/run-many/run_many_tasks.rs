// ANCHOR: all
// ANCHOR: keep
use std::future::Future;
use std::time::Duration;

use futures::stream::{self, StreamExt};
use tokio::time;
use tokio_util::task::AbortOnDropHandle;

/// As `run_all`, with a task for each item. A panic is the error of its item.
async fn run_all_in_tasks<I, T, F>(
    items: impl IntoIterator<Item = I>,
    limit: usize,
    timeout: Duration,
    work: impl Fn(I) -> F + Clone + Send + 'static,
) -> Vec<(I, anyhow::Result<T>)>
where
    I: Clone + Send + 'static,
    T: Send + 'static,
    F: Future<Output = anyhow::Result<T>> + Send,
{
    let futures = items.into_iter().map(|item| {
        let (work, input) = (work.clone(), item.clone());
        async move {
            // `work` itself may panic, too.
            let run = async move { time::timeout(timeout, work(input)).await };
            let task = AbortOnDropHandle::new(tokio::spawn(run));
            let result = async { task.await?? }.await; // a panic? a timeout?
            (item, result)
        }
    });
    stream::iter(futures).buffer_unordered(limit.max(1)).collect().await
}
// ANCHOR_END: keep

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use anyhow::bail;
use tokio::task::JoinError;
use tokio::time::{Instant, sleep};

const SECOND: Duration = Duration::from_secs(1);

static PENDING: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

/// A label that is being bought. Its end is seen even if it is dropped.
struct Purchase;

impl Drop for Purchase {
    fn drop(&mut self) {
        PENDING.fetch_sub(1, Relaxed);
    }
}

/// Takes a second.
async fn buy_label(parcel: u32) -> anyhow::Result<u32> {
    let pending = PENDING.fetch_add(1, Relaxed) + 1;
    let _purchase = Purchase;
    PEAK.fetch_max(pending, Relaxed);
    sleep(SECOND).await;
    match parcel {
        404 => bail!("404 Not Found"),
        13 => panic!("a comma in the number"),
        99 => std::future::pending().await,
        _ => Ok(parcel),
    }
}

fn peak() -> usize {
    assert_eq!(PENDING.load(Relaxed), 0);
    PEAK.swap(0, Relaxed)
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let timeout = 3 * SECOND;
    for (case, count, limit, seconds, peak) in [
        ("limit 5", 5, 5, 1, 5),
        ("limit 2", 5, 2, 3, 2),
        ("limit 0", 5, 0, 5, 1),
    ] {
        let start = Instant::now();
        let results = run_all_in_tasks(0..count, limit, timeout, buy_label);
        let results = time::timeout(60 * SECOND, results).await?;
        let elapsed = start.elapsed().as_secs();
        println!("{case}: {elapsed} s");
        assert_eq!((elapsed, self::peak()), (seconds, peak));
        for (parcel, result) in results {
            assert_eq!(result?, parcel);
        }
    }

    let results = run_all_in_tasks([1, 404, 13, 99], 4, timeout, buy_label);
    for (parcel, result) in results.await {
        let text = match result {
            Ok(label) => format!("label {label}"),
            Err(error) => match error.downcast::<JoinError>() {
                Ok(error) => {
                    format!("a JoinError, is_panic: {}", error.is_panic())
                }
                Err(error) => {
                    let is_late = error.is::<time::error::Elapsed>();
                    assert_eq!(is_late, parcel == 99);
                    error.to_string()
                }
            },
        };
        println!("parcel {parcel}: {text}");
        assert_eq!(
            text,
            match parcel {
                404 => "404 Not Found",
                13 => "a JoinError, is_panic: true",
                99 => "deadline has elapsed",
                _ => "label 1",
            }
        );
    }
    peak();

    let results = run_all_in_tasks([13, 1], 2, timeout, |parcel| {
        assert_ne!(parcel, 13, "a panic before the future");
        buy_label(parcel)
    });
    let results = results.await.into_iter();
    let ends: Vec<_> = results.map(|(it, end)| (it, end.is_ok())).collect();
    assert_eq!(ends, [(13, false), (1, true)]);
    peak();

    let results = run_all_in_tasks([99; 10], 2, timeout, buy_label);
    assert!(time::timeout(SECOND / 2, results).await.is_err());
    sleep(SECOND / 100).await;
    assert_eq!(peak(), 2);
    println!("cancelled: 2 tasks are aborted, and 8 are not spawned");
    Ok(())
}
// ANCHOR_END: all
