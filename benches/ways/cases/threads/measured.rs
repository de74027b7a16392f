//! `compute`, measured against other ways to run a computation.

use std::hint::black_box;
use std::thread::available_parallelism;
use std::time::Instant;

use anyhow::{Result, bail, ensure};
use futures::future::{join_all, try_join_all};
use rayon::{ThreadPool, ThreadPoolBuilder};
use tokio::task::{block_in_place, spawn_blocking};

use super::compute;
use crate::cases::{Cost, piece};

/// A computation in steps, each of which needs the result of the step before.
pub fn fingerprint(seed: u64, steps: u64) -> u64 {
    (0..steps).fold(seed, |mark, step| (mark ^ step).wrapping_mul(31))
}

/// Computes one fingerprint after the other.
pub async fn computing_one(way: &str, steps: u64) -> Result<Cost> {
    let pool = rayon_pool()?;
    let round = async |n: u64| -> Result<u64> {
        let work = move || fingerprint(n, black_box(steps));
        Ok(match way {
            "in_place" => work(),
            "block_in_place" => block_in_place(work),
            "spawn_blocking" => spawn_blocking(work).await?,
            "rayon" => compute(&pool, work).await,
            _ => bail!("no way {way}"),
        })
    };
    let expected = fingerprint(7, steps);
    piece(10, || async {
        let start = Instant::now();
        for _ in 0..10 {
            ensure!(round(black_box(7)).await? == expected);
        }
        Ok(start.elapsed())
    })
    .await
}

fn rayon_pool() -> Result<ThreadPool> {
    let threads = available_parallelism()?.get();
    Ok(ThreadPoolBuilder::new().num_threads(threads).build()?)
}

/// Computes 64 fingerprints at once.
pub async fn computing_many(way: &str, steps: u64) -> Result<Cost> {
    const CALLS: u64 = 64;
    let pool = &rayon_pool()?;
    let work = move |seed: u64| move || fingerprint(seed, black_box(steps));
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
            "rayon" => join_all(calls.map(|work| compute(pool, work))).await,
            _ => bail!("no way {way}"),
        };
        let time = start.elapsed();
        ensure!(marks == *expected);
        Ok(time)
    })
    .await
}
