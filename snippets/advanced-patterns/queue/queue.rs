// ANCHOR: all
// ANCHOR: keep
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use async_channel::{Sender, bounded};
use tokio::task::{JoinError, JoinSet};
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};

// ANCHOR: outcome
#[derive(Debug)]
enum Outcome {
    Done,
    Failed(anyhow::Error),
    Panicked(JoinError),
    Cancelled,  // may have been done in part
    NotStarted, // can be sent again
}
// ANCHOR_END: outcome

struct WorkerPool<J> {
    jobs_tx: Sender<J>,
    workers: JoinSet<()>,
    guard: DropGuard, // cancels the jobs
}

impl<J: Clone + Send + 'static> WorkerPool<J> {
    /// Starts workers that share the jobs, and report how each has ended.
    fn start<F: Future<Output = anyhow::Result<()>> + Send + 'static>(
        count: usize,
        capacity: usize,
        handle: impl Fn(J) -> F + Clone + Send + 'static,
        report: impl Fn(J, Outcome) + Clone + Send + 'static,
    ) -> Self {
        // ANCHOR: open
        let (jobs_tx, jobs_rx) = bounded::<J>(capacity);
        let (token, mut workers) = (CancellationToken::new(), JoinSet::new());
        // ANCHOR_END: open
        for _ in 0..count {
            let (handle, report) = (handle.clone(), report.clone());
            let (jobs_rx, token) = (jobs_rx.clone(), token.clone());
            // ANCHOR: worker
            workers.spawn(async move {
                while let Ok(job) = jobs_rx.recv().await {
                    // ANCHOR_END: worker
                    // ANCHOR: run
                    let started = !token.is_cancelled();
                    let (handle, input) = (handle.clone(), job.clone());
                    let handled = async move { handle(input).await };
                    let task = token.clone().run_until_cancelled_owned(handled);
                    let outcome = match tokio::spawn(task).await {
                        Ok(Some(Ok(()))) => Outcome::Done,
                        Ok(Some(Err(error))) => Outcome::Failed(error),
                        Ok(None) if started => Outcome::Cancelled,
                        Ok(None) => Outcome::NotStarted,
                        Err(error) => Outcome::Panicked(error),
                    };
                    // A panic of `report` does not end the worker. `forget`,
                    // because the drop of the panic's payload may panic, too.
                    let report = AssertUnwindSafe(|| report(job, outcome));
                    std::mem::forget(catch_unwind(report));
                    // ANCHOR_END: run
                }
            });
        }
        WorkerPool { jobs_tx, workers, guard: token.drop_guard() }
    }

    // ANCHOR: shut_down
    /// Refuses new jobs and finishes the others, or cancels them at the limit.
    async fn shut_down(self, limit: Duration) {
        self.jobs_tx.close();
        let mut finished = Box::pin(self.workers.join_all());
        if timeout(limit, &mut finished).await.is_err() {
            drop(self.guard); // cancels the token
            finished.await;
        }
    }
    // ANCHOR_END: shut_down
}
// ANCHOR_END: keep

// Notifications that are sent for parcels, and what must come of them.
use std::collections::BTreeMap;
use std::panic::panic_any;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use async_channel::{SendError, TrySendError};
use tokio::task::yield_now;
use tokio::time::{Instant, sleep};

const SECOND: Duration = Duration::from_secs(1);
static NOTIFIED: AtomicU32 = AtomicU32::new(0);

/// Sends a notification, in five seconds. Parcels that end in 0 have no
/// address.
async fn notify(parcel: u32) -> anyhow::Result<()> {
    sleep(5 * SECOND).await;
    assert_ne!(parcel, 13, "a comma in the address");
    anyhow::ensure!(!parcel.is_multiple_of(10), "no address");
    NOTIFIED.fetch_add(1, Relaxed);
    Ok(())
}

/// How each job ended.
#[derive(Clone, Default)]
struct Reports(Arc<Mutex<BTreeMap<u32, String>>>);

impl Reports {
    fn add(&self, parcel: u32, outcome: Outcome) {
        let end = match outcome {
            Outcome::Done => "done".to_owned(),
            Outcome::Failed(error) => format!("failed: {error}"),
            Outcome::Panicked(error) => {
                assert!(error.is_panic());
                "panicked".to_owned()
            }
            Outcome::Cancelled => "cancelled".to_owned(),
            Outcome::NotStarted => "not started".to_owned(),
        };
        let mut ends = self.0.lock().expect("no panic");
        // The pool catches this panic. It poisons the lock, so `count` panics.
        assert_eq!(ends.insert(parcel, end), None, "reported once");
    }

    /// How many jobs ended in each way.
    fn count(&self) -> BTreeMap<String, usize> {
        let mut count = BTreeMap::new();
        for end in self.0.lock().expect("no panic").values() {
            *count.entry(end.clone()).or_default() += 1;
        }
        count
    }
}

fn start(count: usize, capacity: usize) -> (WorkerPool<u32>, Reports) {
    let reports = Reports::default();
    let add = reports.clone();
    let report = move |parcel, outcome| add.add(parcel, outcome);
    (WorkerPool::start(count, capacity, notify, report), reports)
}

async fn all() -> anyhow::Result<()> {
    // A handler that panics before it returns a future.
    let reports = Reports::default();
    let add = reports.clone();
    let handle = |parcel: u32| {
        assert_ne!(parcel, 1, "no client");
        notify(parcel)
    };
    let report = move |parcel, outcome| add.add(parcel, outcome);
    let pool = WorkerPool::start(1, 8, handle, report);
    for parcel in 1..=2 {
        pool.jobs_tx.send(parcel).await?;
    }
    pool.shut_down(60 * SECOND).await;
    let ends = [("done", 1), ("panicked", 1)];
    let ends = ends.map(|(end, count)| (end.to_owned(), count));
    assert_eq!(reports.count(), BTreeMap::from(ends));

    let (pool, reports) = start(3, 8);
    let start = Instant::now();
    for parcel in 1..=100 {
        pool.jobs_tx.send(parcel).await?;
    }
    pool.shut_down(60 * SECOND).await;
    let count = reports.count();
    println!("100 jobs: {count:?}");
    let expected = [("done", 89), ("failed: no address", 10), ("panicked", 1)];
    assert!(count.iter().map(|(end, n)| (end.as_str(), *n)).eq(expected));
    assert_eq!(start.elapsed(), 170 * SECOND, "34 rounds");
    Ok(())
}

// ANCHOR: full
async fn full() -> anyhow::Result<()> {
    let (pool, _) = start(1, 2);
    let start = Instant::now();
    let mut accepted = Vec::new();
    for parcel in 1..=5 {
        pool.jobs_tx.send(parcel).await?;
        accepted.push(start.elapsed().as_secs());
    }
    println!("full: accepted after {accepted:?} s");
    // One is in a worker's hands, two wait, and the others had to wait.
    assert_eq!(accepted, [0, 0, 0, 5, 10]);
    assert_eq!(pool.jobs_tx.try_send(6), Err(TrySendError::Full(6)));
    pool.shut_down(60 * SECOND).await;
    Ok(())
}
// ANCHOR_END: full

/// Three jobs run, and eight wait: the most that a shutdown must finish.
async fn most() {
    let (pool, reports) = start(3, 8);
    for parcel in 1..=11 {
        pool.jobs_tx.send(parcel).await.expect("the workers run");
        yield_now().await; // a worker receives it
    }
    assert_eq!(pool.jobs_tx.try_send(12), Err(TrySendError::Full(12)));
    let start = Instant::now();
    pool.shut_down(25 * SECOND).await;
    println!("most: {:?} in {:?}", reports.count(), start.elapsed());
    assert_eq!(start.elapsed(), 20 * SECOND, "four rounds");
    assert!(!reports.count().contains_key("cancelled"));
}

/// Two producers that go on until they are refused, and a pause after each
/// job. The pool is shut down after 48 s. What was refused, and the reports.
async fn producers(
    pause: Duration,
    limit: Duration,
) -> (Vec<u32>, Reports, Duration) {
    let (pool, reports) = start(3, 8);
    let mut producers = JoinSet::new();
    for first in 1..=2 {
        let jobs_tx = pool.jobs_tx.clone();
        producers.spawn(async move {
            for parcel in (first..).step_by(2) {
                if let Err(SendError(parcel)) = jobs_tx.send(parcel).await {
                    return parcel; // the job comes back
                }
                sleep(pause).await;
            }
            unreachable!("there is always one more")
        });
    }
    sleep(48 * SECOND).await;
    let start = Instant::now();
    pool.shut_down(limit).await;
    let elapsed = start.elapsed();
    let refused = producers.join_all().await;
    // Each job was reported, or came back.
    let sent = refused.iter().flat_map(|last| (1..=*last).rev().step_by(2));
    let mut sent: Vec<_> = sent.filter(|job| !refused.contains(job)).collect();
    sent.sort();
    assert!(reports.0.lock().expect("no panic").keys().eq(&sent));
    (refused, reports, elapsed)
}

async fn closed() {
    for (limit, seconds) in [(25, 17), (1, 1)] {
        let limit = limit * SECOND;
        let (refused, reports, elapsed) = producers(SECOND, limit).await;
        let (refused, count) = (refused.len(), reports.count());
        println!("closed, {limit:?}: {count:?}, refused: {refused}");
        assert_eq!((elapsed.as_secs(), refused), (seconds, 2));
        let cancelled = count.get("cancelled").copied();
        let left = count.get("not started").copied();
        match seconds {
            17 => assert_eq!((cancelled, left), (None, None)),
            _ => assert_eq!((cancelled, left), (Some(3), Some(8))),
        }
    }
    // Without a pause, one producer takes all the places each time.
    let (refused, ..) = producers(Duration::ZERO, 60 * SECOND).await;
    println!("unfair: job {} of the second producer got no place", refused[1]);
    assert!(refused.contains(&2), "its first");
}

/// Panics when it is dropped.
struct Broken;

impl Drop for Broken {
    fn drop(&mut self) {
        panic!("it cannot be dropped");
    }
}

/// A `report` that panics for the first two jobs. The worker handles all.
async fn report_panics() -> anyhow::Result<()> {
    let reports = Reports::default();
    let add = reports.clone();
    let report = move |parcel: u32, outcome| match parcel {
        1 => panic!("no log"),
        2 => panic_any(Broken),
        _ => add.add(parcel, outcome),
    };
    let pool = WorkerPool::start(1, 8, notify, report);
    NOTIFIED.store(0, Relaxed);
    for parcel in 1..=3 {
        pool.jobs_tx.send(parcel).await?;
    }
    pool.shut_down(60 * SECOND).await;
    println!("report: {:?}", reports.count());
    assert_eq!(NOTIFIED.load(Relaxed), 3, "all are handled");
    assert_eq!(reports.count(), BTreeMap::from([("done".to_owned(), 1)]));
    Ok(())
}

async fn idle_and_dropped() {
    let (pool, reports) = start(3, 8);
    let start = Instant::now();
    pool.shut_down(60 * SECOND).await;
    assert_eq!(start.elapsed(), Duration::ZERO);
    println!("idle: after 0 s");
    assert!(reports.count().is_empty());

    let (pool, reports) = self::start(3, 8);
    let jobs_tx = pool.jobs_tx.clone();
    for parcel in 1..=5 {
        jobs_tx.send(parcel).await.expect("the workers run");
    }
    sleep(SECOND).await;
    NOTIFIED.store(0, Relaxed);
    drop(pool);
    sleep(60 * SECOND).await;
    assert_eq!(NOTIFIED.load(Relaxed), 0, "no job goes on");
    assert_eq!(jobs_tx.send(6).await, Err(SendError(6)));
    println!("dropped: {:?}", reports.count());
    assert!(reports.count().is_empty());
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: call
    let report = |parcel: u32, outcome| match outcome {
        Outcome::Done => tracing::info!(parcel, "notified"),
        Outcome::NotStarted => tracing::warn!(parcel, "send it again"),
        other => tracing::error!(parcel, outcome = ?other, "not notified"),
    };
    let pool = WorkerPool::start(3, 8, notify, report);
    let jobs_tx = pool.jobs_tx.clone(); // for each producer
    jobs_tx.send(7).await?; // waits while eight jobs are in the channel
    pool.shut_down(Duration::from_secs(25)).await; // before `main` ends
    // ANCHOR_END: call

    all().await?;
    full().await?;
    most().await;
    closed().await;
    report_panics().await?;
    idle_and_dropped().await;
    Ok(())
}
// ANCHOR_END: all
