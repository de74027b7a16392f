//! Many tasks at once: spawned, asleep, limited and cancelled.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use futures::future::join_all;
use futures::stream::{self, StreamExt};
use harness::HOUR;
use tokio::sync::Semaphore;
use tokio::task::{JoinSet, yield_now};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Spawns tasks and joins them, or does the same work without tasks.
pub async fn tasks(way: &str, count: u64) -> Result<Duration> {
    async fn step(n: u64) -> u64 {
        black_box(n) + 1
    }
    async fn step_that_waits(n: u64) -> u64 {
        yield_now().await;
        black_box(n) + 1
    }
    let start = Instant::now();
    let mut sum = 0;
    match way {
        "join_set" => {
            let mut tasks = JoinSet::new();
            for n in 0..count {
                tasks.spawn(step(n));
            }
            while let Some(joined) = tasks.join_next().await {
                sum += joined?;
            }
        }
        "spawn" => {
            let tasks: Vec<_> =
                (0..count).map(|n| tokio::spawn(step(n))).collect();
            for task in tasks {
                sum += task.await?;
            }
        }
        "join_all" => {
            let steps = join_all((0..count).map(step_that_waits)).await;
            sum = steps.into_iter().sum();
        }
        "buffer" => {
            let steps = stream::iter(0..count).map(step_that_waits);
            let mut steps = steps.buffer_unordered(100);
            while let Some(step) = steps.next().await {
                sum += step;
            }
        }
        _ => bail!("no way {way}"),
    }
    let time = start.elapsed();
    ensure!(sum == count * (count + 1) / 2);
    Ok(time)
}

/// Spawns tasks, and waits until all of them sleep.
pub async fn sleeping(count: u64) -> Result<Duration> {
    static ASLEEP: AtomicU64 = AtomicU64::new(0);
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..count {
        tasks.spawn(async {
            ASLEEP.fetch_add(1, Relaxed);
            sleep(HOUR).await;
        });
    }
    while ASLEEP.load(Relaxed) < count {
        yield_now().await;
    }
    let time = start.elapsed();
    ensure!(tasks.try_join_next().is_none());
    tasks.detach_all();
    Ok(time)
}

/// A service that counts the calls in progress.
#[derive(Default)]
struct Mast {
    calls: AtomicU64,
    peak: AtomicU64,
    served: AtomicU64,
}

impl Mast {
    async fn read(&self) {
        let calls = self.calls.fetch_add(1, Relaxed) + 1;
        self.peak.fetch_max(calls, Relaxed);
        yield_now().await;
        self.calls.fetch_sub(1, Relaxed);
        self.served.fetch_add(1, Relaxed);
    }
}

/// Makes calls, of which at most 100 are in progress at once.
pub async fn semaphore(way: &str, count: u64) -> Result<Duration> {
    let mast = Arc::new(Mast::default());
    let permits = Arc::new(Semaphore::new(100));
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    match way {
        "permits" => {
            for _ in 0..count {
                let permit = Arc::clone(&permits).acquire_owned().await?;
                while let Some(joined) = tasks.try_join_next() {
                    joined?;
                }
                let mast = Arc::clone(&mast);
                tasks.spawn(async move {
                    mast.read().await;
                    drop(permit);
                });
            }
        }
        "tasks" => {
            for _ in 0..count {
                let permits = Arc::clone(&permits);
                let mast = Arc::clone(&mast);
                tasks.spawn(async move {
                    let _permit = permits.acquire().await.expect("open");
                    mast.read().await;
                });
            }
        }
        "buffer" => {
            let reads = stream::iter(0..count).map(|_| mast.read());
            reads.buffer_unordered(100).collect::<()>().await;
        }
        _ => bail!("no way {way}"),
    }
    tasks.join_all().await;
    let time = start.elapsed();
    ensure!(mast.served.load(Relaxed) == count);
    ensure!(mast.peak.load(Relaxed) <= 100);
    Ok(time)
}

/// Cancels sleeping tasks, and waits until each has cleaned up.
pub async fn cancel(way: &str, count: u64) -> Result<Duration> {
    struct Count<'a>(&'a AtomicU64);
    impl Drop for Count<'_> {
        fn drop(&mut self) {
            self.0.fetch_add(1, Relaxed);
        }
    }
    static ASLEEP: AtomicU64 = AtomicU64::new(0);
    static CLEANED: AtomicU64 = AtomicU64::new(0);
    async fn one() {
        let _cleans = Count(&CLEANED);
        ASLEEP.fetch_add(1, Relaxed);
        sleep(HOUR).await;
    }
    ASLEEP.store(0, Relaxed);
    CLEANED.store(0, Relaxed);
    let stop = CancellationToken::new();
    let mut tasks = JoinSet::new();
    for _ in 0..count {
        if way == "abort" {
            tasks.spawn(one());
        } else {
            let stop = stop.child_token();
            tasks.spawn(async move {
                let end = stop.run_until_cancelled(one()).await;
                assert!(end.is_none(), "it was cancelled");
            });
        }
    }
    while ASLEEP.load(Relaxed) < count {
        yield_now().await;
    }
    let start = Instant::now();
    if way == "abort" {
        tasks.abort_all();
    } else {
        stop.cancel();
    }
    while let Some(end) = tasks.join_next().await {
        match end {
            Err(end) => ensure!(way == "abort" && end.is_cancelled()),
            Ok(()) => ensure!(way == "token"),
        }
    }
    let time = start.elapsed();
    ensure!(CLEANED.load(Relaxed) == count);
    Ok(time)
}
