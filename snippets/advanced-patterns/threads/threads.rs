// ANCHOR: all
// ANCHOR: keep
use std::mem::forget;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use anyhow::Context;
use rayon::ThreadPool;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::spawn_blocking;
use tokio_util::sync::{CancellationToken, DropGuard};

// ANCHOR: limit
/// Limits how many jobs run, and how many callers wait.
struct Limit {
    running: Arc<Semaphore>,
    waiting: Semaphore,
}

impl Limit {
    fn new(running: usize, waiting: usize) -> Self {
        let running = Arc::new(Semaphore::new(running));
        Limit { running, waiting: Semaphore::new(waiting) }
    }
    // ANCHOR_END: limit

    // ANCHOR: admit
    /// A job that holds a permit, and the guard that cancels its token.
    async fn admit<T>(
        &self,
        work: impl FnOnce(&CancellationToken) -> T + Send + 'static,
    ) -> anyhow::Result<(impl FnOnce() -> T + Send + 'static, DropGuard)> {
        let running = Arc::clone(&self.running);
        let permit = match running.clone().try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => {
                let _place = self.waiting.try_acquire()?;
                running.acquire_owned().await?
            }
        };
        let token = CancellationToken::new();
        let guard = token.clone().drop_guard();
        let job = move || {
            let _permit = permit; // until the job ends
            work(&token)
        };
        Ok((job, guard))
    }
    // ANCHOR_END: admit
}

// ANCHOR: block
/// Runs code that waits: for a disk, a device, a lock.
async fn block<T: Send + 'static>(
    limit: &Limit,
    work: impl FnOnce(&CancellationToken) -> T + Send + 'static,
) -> anyhow::Result<T> {
    let (job, _guard) = limit.admit(work).await?;
    Ok(spawn_blocking(job).await?)
}
// ANCHOR_END: block

// ANCHOR: compute
/// Runs code that computes.
async fn compute<T: Send + 'static>(
    limit: &Limit,
    pool: &ThreadPool,
    work: impl FnOnce(&CancellationToken) -> T + Send + 'static,
) -> anyhow::Result<T> {
    let (job, _guard) = limit.admit(work).await?;
    let (reply_tx, reply_rx) = oneshot::channel();
    pool.spawn(move || {
        // A panic that leaves this closure aborts the process. The job may
        // panic, and so may the drop of a value that no caller receives.
        // `forget`, because the drop of a panic's payload may panic, too.
        forget(catch_unwind(AssertUnwindSafe(|| reply_tx.send(job()).is_ok())));
    });
    reply_rx.await.context("the job has panicked")
}
// ANCHOR_END: compute
// ANCHOR_END: keep

// Scans of labels: files that are read, and whose fingerprint is computed.
use std::panic::panic_any;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Barrier, mpsc};
use std::thread::available_parallelism;
use std::time::Duration;
use std::{fs, thread};

use futures::future::join_all;
use futures::poll;
use rayon::ThreadPoolBuilder;
use tokio::runtime::Runtime;
use tokio::sync::TryAcquireError;
use tokio::task::{JoinError, yield_now};
use tokio::time::timeout;

// ANCHOR: fingerprint
/// `None` if it is told to stop.
fn fingerprint(scan: &[u8], token: &CancellationToken) -> Option<u32> {
    let mut mark = 7_u32;
    for block in scan.chunks(64 * 1024) {
        if token.is_cancelled() {
            return None;
        }
        for &byte in block {
            mark = mark.wrapping_mul(31).wrapping_add(byte.into());
        }
    }
    Some(mark)
}
// ANCHOR_END: fingerprint

const MS: Duration = Duration::from_millis(1);

/// A job that runs until it is finished, or told to stop, if it obeys.
struct Job {
    started_rx: oneshot::Receiver<()>,
    finish_tx: mpsc::Sender<()>,
    ended_rx: oneshot::Receiver<&'static str>,
}

impl Job {
    fn new(obeys: bool) -> (Self, impl FnOnce(&CancellationToken) -> u32) {
        let (started_tx, started_rx) = oneshot::channel();
        let (finish_tx, finish_rx) = mpsc::channel();
        let (ended_tx, ended_rx) = oneshot::channel();
        let work = move |token: &CancellationToken| {
            let _ = started_tx.send(());
            let mut end = "finished";
            while finish_rx.recv_timeout(MS).is_err() {
                if obeys && token.is_cancelled() {
                    end = "stopped";
                    break;
                }
            }
            let _ = ended_tx.send(end);
            7
        };
        (Job { started_rx, finish_tx, ended_rx }, work)
    }
}

/// `compute` with a pool, `block` without one.
async fn run<T: Send + 'static>(
    limit: &Limit,
    pool: Option<&ThreadPool>,
    work: impl FnOnce(&CancellationToken) -> T + Send + 'static,
) -> anyhow::Result<T> {
    match pool {
        Some(pool) => compute(limit, pool, work).await,
        None => block(limit, work).await,
    }
}

async fn at_once(pool: &ThreadPool) -> anyhow::Result<()> {
    for pool in [None, Some(pool)] {
        let limit = Limit::new(4, 0);
        let barrier = Arc::new(Barrier::new(4));
        let jobs = (0..4).map(|_| {
            let barrier = barrier.clone();
            run(&limit, pool, move |_| barrier.wait())
        });
        assert!(join_all(jobs).await.iter().all(Result::is_ok));
    }
    // A parallel iterator in a job uses the threads of its pool.
    let threads = |_: &CancellationToken| rayon::current_num_threads();
    assert_eq!(compute(&Limit::new(1, 0), pool, threads).await?, 4);
    println!("at once: 4 jobs");
    Ok(())
}

/// Two jobs run, a third caller waits, and a fourth is refused.
async fn full(pool: &ThreadPool) -> anyhow::Result<()> {
    for pool in [None, Some(pool)] {
        let limit = Limit::new(2, 1);
        let (first_job, work) = Job::new(true);
        let mut first = Box::pin(run(&limit, pool, work));
        assert!(poll!(&mut first).is_pending());
        let (second_job, work) = Job::new(true);
        let mut second = Box::pin(run(&limit, pool, work));
        assert!(poll!(&mut second).is_pending());
        first_job.started_rx.await?;
        second_job.started_rx.await?;

        // The caller that waits gives up, and its place is free.
        let mut third = Box::pin(run(&limit, pool, |_| 3));
        assert!(poll!(&mut third).is_pending());
        let error = run(&limit, pool, |_| 4).await.expect_err("no place");
        assert!(error.is::<TryAcquireError>());
        drop(third);
        let mut third = Box::pin(run(&limit, pool, |_| 3));
        assert!(poll!(&mut third).is_pending());

        first_job.finish_tx.send(())?;
        assert_eq!(first.await?, 7);
        assert_eq!(third.await?, 3);
        // The second caller gives up. Its job stops, and its permit is free.
        drop(second);
        assert_eq!(second_job.ended_rx.await?, "stopped");
        let _all = limit.running.acquire_many(2).await?;
        assert_eq!(limit.waiting.available_permits(), 1);
    }
    println!("full: 2 run, 1 waits, 1 is refused");
    println!("given up: its place is free, its job has stopped");
    Ok(())
}

async fn too_slow(pool: &ThreadPool) -> anyhow::Result<()> {
    for pool in [None, Some(pool)] {
        let limit = Limit::new(1, 1);
        let (job, work) = Job::new(true);
        assert!(timeout(10 * MS, run(&limit, pool, work)).await.is_err());
        assert_eq!(job.ended_rx.await?, "stopped");

        let (job, work) = Job::new(false);
        assert!(timeout(10 * MS, run(&limit, pool, work)).await.is_err());
        job.started_rx.await?;
        let mut next = Box::pin(run(&limit, pool, |_| 8));
        assert!(timeout(10 * MS, &mut next).await.is_err(), "no permit");
        job.finish_tx.send(())?;
        assert_eq!(job.ended_rx.await?, "finished");
        assert_eq!(next.await?, 8);
    }
    println!("too slow: a timeout, its job has stopped");
    println!("never checks: a timeout, its job keeps the permit");
    Ok(())
}

static DROPS: AtomicUsize = AtomicUsize::new(0);

/// Panics when it is dropped.
struct Broken;

impl Drop for Broken {
    fn drop(&mut self) {
        DROPS.fetch_add(1, Relaxed);
        panic!("it cannot be dropped");
    }
}

async fn panicking(pool: &ThreadPool) -> anyhow::Result<()> {
    for pool in [None, Some(pool)] {
        // The caller has gone, and nothing takes the value.
        let limit = Limit::new(1, 1);
        let work = |token: &CancellationToken| {
            while !token.is_cancelled() {
                thread::sleep(MS);
            }
            Broken
        };
        assert!(timeout(10 * MS, run(&limit, pool, work)).await.is_err());
        assert_eq!(run(&limit, pool, |_| 8).await?, 8);
        while DROPS.swap(0, Relaxed) == 0 {
            yield_now().await; // it is dropped, and not leaked
        }

        let limit = Limit::new(1, 0);
        let work = |_: &CancellationToken| -> u32 { panic_any(Broken) };
        let error = run(&limit, pool, work).await.expect_err("a panic");
        forget(error); // `block` has what was thrown in its error
        let work = |_: &CancellationToken| -> u32 { panic!("an empty scan") };
        let error = run(&limit, pool, work).await.expect_err("a panic");
        let is_panic = error.downcast_ref().is_some_and(JoinError::is_panic);
        assert!(is_panic || error.to_string() == "the job has panicked");
        assert_eq!(run(&limit, pool, |_| 8).await?, 8);
    }
    println!("panicking: an error, and the next job runs");
    Ok(())
}

/// A runtime is dropped while a job runs.
fn shutdown(pool: Arc<ThreadPool>) -> anyhow::Result<()> {
    let start = |obeys, pool: Option<Arc<ThreadPool>>| {
        let runtime = Runtime::new()?;
        let (mut job, work) = Job::new(obeys);
        runtime.spawn(async move {
            run(&Limit::new(1, 0), pool.as_deref(), work).await
        });
        runtime.block_on(&mut job.started_rx)?;
        anyhow::Ok((runtime, job))
    };

    // The caller is dropped, which tells the job to stop.
    let (runtime, mut job) = start(true, None)?;
    drop(runtime);
    assert_eq!(job.ended_rx.try_recv()?, "stopped");

    let (runtime, mut job) = start(false, None)?;
    let finish = thread::spawn(move || {
        thread::sleep(20 * MS);
        job.finish_tx.send(())
    });
    drop(runtime);
    assert_eq!(job.ended_rx.try_recv()?, "finished", "it has waited");
    finish.join().expect("no panic")?;

    let (runtime, mut job) = start(false, None)?;
    runtime.shutdown_timeout(MS);
    assert!(job.ended_rx.try_recv().is_err(), "it has not waited");
    job.finish_tx.send(())?;
    assert_eq!(job.ended_rx.blocking_recv()?, "finished");

    let (runtime, mut job) = start(false, Some(pool))?;
    drop(runtime);
    assert!(job.ended_rx.try_recv().is_err(), "it has not waited");
    job.finish_tx.send(())?;
    assert_eq!(job.ended_rx.blocking_recv()?, "finished");
    Ok(())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("7.scan");
    fs::write(&path, vec![7; 1_000_000])?;

    // ANCHOR: call
    let cores = available_parallelism()?.get();
    let pool = ThreadPoolBuilder::new().num_threads(cores).build()?;
    let (disk, cpu) = (Limit::new(32, 100), Limit::new(cores, 100));

    let scan = block(&disk, |_| fs::read(path)).await??;
    let mark = compute(&cpu, &pool, move |token| fingerprint(&scan, token));
    let limit = Duration::from_secs(5);
    let mark = tokio::time::timeout(limit, mark).await??;
    // ANCHOR_END: call
    let expected = (0..1_000_000_u32)
        .fold(7_u32, |mark, _| mark.wrapping_mul(31).wrapping_add(7));
    assert_eq!(mark, Some(expected));
    println!("fingerprint: {mark:?}");
    let token = CancellationToken::new();
    token.cancel();
    assert_eq!(fingerprint(&[7], &token), None);

    let pool = Arc::new(ThreadPoolBuilder::new().num_threads(4).build()?);
    at_once(&pool).await?;
    full(&pool).await?;
    too_slow(&pool).await?;
    panicking(&pool).await?;
    spawn_blocking(|| shutdown(pool)).await??;
    println!("shutdown: waits for block, not for compute");
    Ok(())
}
// ANCHOR_END: all
