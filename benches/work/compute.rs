//! Computations: in place, in tasks, on threads; and calls of a short one.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Result, bail, ensure};
use futures::future::try_join_all;
use tokio::task::{block_in_place, spawn_blocking};

use page::{Rayon, mark};

use super::piece;

#[expect(dead_code, reason = "the page's own `main` does not run")]
mod page {
    include!("../../snippets/advanced-patterns/threads/threads.rs");

    /// Threads, and a limit that never makes a caller wait.
    pub struct Rayon(Limit, ThreadPool);

    impl Rayon {
        pub fn new() -> anyhow::Result<Self> {
            let threads = available_parallelism()?.get();
            let pool = ThreadPoolBuilder::new().num_threads(threads).build()?;
            Ok(Rayon(Limit::new(Semaphore::MAX_PERMITS, 0), pool))
        }

        pub async fn run<T: Send + 'static>(
            &self,
            work: impl FnOnce() -> T + Send + 'static,
        ) -> anyhow::Result<T> {
            compute(&self.0, &self.1, |_| work()).await
        }
    }

    pub fn mark(scan: &[u8]) -> u32 {
        let token = CancellationToken::new();
        fingerprint(scan, &token).expect("never told to stop")
    }
}

/// Computes the fingerprints of four scans.
pub async fn threads(way: &str) -> Result<(f64, u64)> {
    const BYTES: usize = 5_000_000;
    let scans: Vec<Arc<[u8]>> =
        (1..=4_u8).map(|n| black_box(vec![n; BYTES]).into()).collect();
    let (scans, rayon) = (&scans, &Rayon::new()?);
    let expected: Vec<u32> = scans.iter().map(|it| mark(it)).collect();
    let expected = &expected;
    piece(4 * BYTES as u64, || async move {
        let handed = scans.clone().into_iter();
        let start = Instant::now();
        let work = handed.map(|scan| move || mark(&scan));
        let marks = match way {
            "rayon" => try_join_all(work.map(|it| rayon.run(it))).await?,
            "spawn_blocking" => try_join_all(work.map(spawn_blocking)).await?,
            "serial" => work.map(|work| work()).collect(),
            _ => bail!("no way {way}"),
        };
        let time = start.elapsed();
        ensure!(marks == *expected && marks[0] != marks[1]);
        Ok(time)
    })
    .await
}

/// A computation in steps, each of which needs the result of the step before.
fn steps(seed: u64, count: u64) -> u64 {
    (0..count).fold(seed, |mark, step| (mark ^ step).wrapping_mul(31))
}

/// A future that computes 10,000 steps.
pub async fn computed(n: u64) -> u64 {
    black_box(steps(black_box(n), black_box(10_000)));
    n + 1
}

/// Computes ten times, one after the other.
pub async fn one(way: &str, count: u64) -> Result<(f64, u64)> {
    let rayon = Rayon::new()?;
    let round = async |n: u64| -> Result<u64> {
        let work = move || steps(n, black_box(count));
        Ok(match way {
            "in_place" => work(),
            "block_in_place" => block_in_place(work),
            "spawn_blocking" => spawn_blocking(work).await?,
            "rayon" => rayon.run(work).await?,
            _ => bail!("no way {way}"),
        })
    };
    let expected = steps(7, count);
    piece(10, || async {
        let start = Instant::now();
        for _ in 0..10 {
            ensure!(round(black_box(7)).await? == expected);
        }
        Ok(start.elapsed())
    })
    .await
}

/// Computes 64 times at once.
pub async fn many(way: &str, count: u64) -> Result<(f64, u64)> {
    const CALLS: u64 = 64;
    let rayon = &Rayon::new()?;
    let work = move |seed: u64| move || steps(seed, black_box(count));
    let expected: Vec<u64> = (0..CALLS).map(|seed| work(seed)()).collect();
    let expected = &expected;
    piece(CALLS, || async move {
        let start = Instant::now();
        let calls = (0..CALLS).map(work);
        let marks = match way {
            "one_task" => calls.map(|work| work()).collect(),
            "in_place" => {
                let tasks =
                    calls.map(|work| tokio::spawn(async move { work() }));
                try_join_all(tasks).await?
            }
            "block_in_place" => {
                let tasks = calls.map(|work| {
                    tokio::spawn(async move { block_in_place(work) })
                });
                try_join_all(tasks).await?
            }
            "spawn_blocking" => try_join_all(calls.map(spawn_blocking)).await?,
            "rayon" => try_join_all(calls.map(|work| rayon.run(work))).await?,
            _ => bail!("no way {way}"),
        };
        let time = start.elapsed();
        ensure!(marks == *expected);
        Ok(time)
    })
    .await
}

/// A small computation, which the compiler must not merge with the loop around
/// it.
#[inline(never)]
fn checksum(heights: [u8; 64]) -> u64 {
    let add = |sum: u64, &height: &u8| {
        (sum ^ u64::from(height)).wrapping_mul(0x0100_0000_01b3)
    };
    heights.iter().fold(7, add)
}

async fn checksum_async(heights: [u8; 64]) -> u64 {
    checksum(heights)
}

/// Calls a small computation again and again.
pub async fn calls(way: &str) -> Result<(f64, u64)> {
    const CALLS: u64 = 20_000;
    piece(CALLS, || async {
        let start = Instant::now();
        for _ in 0..CALLS {
            let heights = black_box([7; 64]);
            black_box(match way {
                "fn" => checksum(heights),
                "async" => checksum_async(heights).await,
                "box" => Box::pin(checksum_async(heights)).await,
                "task" => tokio::spawn(checksum_async(heights)).await?,
                "spawn_blocking" => {
                    spawn_blocking(move || checksum(heights)).await?
                }
                _ => bail!("no way {way}"),
            });
        }
        Ok(start.elapsed())
    })
    .await
}
