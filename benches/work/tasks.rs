//! Many tasks at once: spawned, asleep, limited, cancelled, behind a lock.

use std::env;
use std::future::Future;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use futures::future::join_all;
use futures::stream::{self, FuturesOrdered, FuturesUnordered, StreamExt};
use tokio::sync::Semaphore;
use tokio::task::{JoinSet, yield_now};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{HOUR, piece, wait_once};

/// Spawns 200,000 tasks and joins them, or does the same work without tasks.
pub async fn spawned(way: &str) -> Result<(f64, u64)> {
    async fn step(n: u64) -> u64 {
        black_box(n) + 1
    }
    const COUNT: u64 = 200_000;
    match way {
        "join_set" | "spawn" => many(way, COUNT, step).await,
        _ => many(way, COUNT, wait_once).await,
    }
}

/// Runs `size` futures at once.
pub async fn many<F>(
    way: &str,
    size: u64,
    step: fn(u64) -> F,
) -> Result<(f64, u64)>
where
    F: Future<Output = u64> + Send + 'static,
{
    async fn sum(mut numbers: impl StreamExt<Item = u64> + Unpin) -> u64 {
        let mut sum = 0;
        while let Some(n) = numbers.next().await {
            sum += n;
        }
        sum
    }
    piece(size, || async {
        let start = Instant::now();
        let steps = (0..size).map(step);
        let sum = match way {
            "join_all" => join_all(steps).await.into_iter().sum(),
            "unordered" => sum(steps.collect::<FuturesUnordered<_>>()).await,
            "ordered" => sum(steps.collect::<FuturesOrdered<_>>()).await,
            "buffered" => sum(stream::iter(steps).buffered(100)).await,
            "buffer_unordered" => {
                sum(stream::iter(steps).buffer_unordered(100)).await
            }
            "join_set" => {
                let mut tasks: JoinSet<_> = steps.collect();
                let mut sum = 0;
                while let Some(n) = tasks.join_next().await {
                    sum += n?;
                }
                sum
            }
            "spawn" => {
                let tasks: Vec<_> = steps.map(tokio::spawn).collect();
                let mut sum = 0;
                for task in tasks {
                    sum += task.await?;
                }
                sum
            }
            _ => bail!("no way {way}"),
        };
        let time = start.elapsed();
        ensure!(sum == size * (size + 1) / 2);
        Ok(time)
    })
    .await
}

/// Spawns tasks, and waits until all of them sleep.
pub async fn sleeping(count: u64) -> Result<(f64, u64)> {
    static ASLEEP: AtomicU64 = AtomicU64::new(0);
    let rough = env::var_os("ROUGH").is_some();
    let count = if rough { count / 10 } else { count };
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
    Ok((time.as_secs_f64(), count))
}

const CALLS: u64 = 100_000;

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
pub async fn semaphore(way: &str) -> Result<(f64, u64)> {
    piece(CALLS, || async {
        let mast = Arc::new(Mast::default());
        let permits = Arc::new(Semaphore::new(100));
        let start = Instant::now();
        let mut tasks = JoinSet::new();
        match way {
            "permits" => {
                for _ in 0..CALLS {
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
                for _ in 0..CALLS {
                    let permits = Arc::clone(&permits);
                    let mast = Arc::clone(&mast);
                    tasks.spawn(async move {
                        let _permit = permits.acquire().await.expect("open");
                        mast.read().await;
                    });
                }
            }
            "buffer" => {
                let reads = stream::iter(0..CALLS).map(|_| mast.read());
                reads.buffer_unordered(100).collect::<()>().await;
            }
            _ => bail!("no way {way}"),
        }
        tasks.join_all().await;
        let time = start.elapsed();
        ensure!(mast.served.load(Relaxed) == CALLS);
        ensure!(mast.peak.load(Relaxed) <= 100);
        Ok(time)
    })
    .await
}

/// Cancels sleeping tasks, and waits until each has cleaned up.
pub async fn cancel(way: &str) -> Result<(f64, u64)> {
    piece(CALLS, || cancelled(way)).await
}

async fn cancelled(way: &str) -> Result<Duration> {
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
    for _ in 0..CALLS {
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
    while ASLEEP.load(Relaxed) < CALLS {
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
    ensure!(CLEANED.load(Relaxed) == CALLS);
    Ok(time)
}

const TURNS: u64 = 500_000;

/// Tasks take a lock in turns. After each hundred turns, a task lets the other
/// tasks run.
pub async fn locks(way: &str, size: u64) -> Result<(f64, u64)> {
    macro_rules! contend {
        ($lock:ident, $guard:expr) => {{
            let mut tasks = JoinSet::new();
            for _ in 0..size {
                let $lock = Arc::clone(&$lock);
                tasks.spawn(async move {
                    for n in 1..=TURNS / size {
                        *$guard += 1;
                        if n.is_multiple_of(100) {
                            yield_now().await;
                        }
                    }
                });
            }
            tasks.join_all().await;
            *$guard
        }};
    }
    piece(TURNS, || async {
        let start = Instant::now();
        let sum: u64 = match way {
            "std" => {
                let lock = Arc::new(Mutex::new(0));
                contend!(lock, lock.lock().expect("never poisoned"))
            }
            "parking_lot" => {
                let lock = Arc::new(parking_lot::Mutex::new(0));
                contend!(lock, lock.lock())
            }
            "tokio" => {
                let lock = Arc::new(tokio::sync::Mutex::new(0));
                contend!(lock, lock.lock().await)
            }
            _ => bail!("no way {way}"),
        };
        let time = start.elapsed();
        ensure!(sum == TURNS);
        Ok(time)
    })
    .await
}
