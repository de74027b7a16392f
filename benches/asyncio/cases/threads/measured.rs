//! `compute` and `fingerprint`, measured.

use std::hint::black_box;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use futures::future::{join_all, try_join_all};
use rayon::ThreadPoolBuilder;
use tokio::task::spawn_blocking;

use super::{compute, fingerprint};

/// Computes the fingerprints of four photos, of `count` bytes in all.
pub async fn threads(way: &str, count: u64) -> Result<Duration> {
    let length = count as usize / 4;
    let photos: Vec<Arc<[u8]>> =
        (1..=4_u8).map(|n| black_box(vec![n; length]).into()).collect();
    let threads = available_parallelism()?.get();
    let pool = &ThreadPoolBuilder::new().num_threads(threads).build()?;
    let handed = photos.clone();
    let start = Instant::now();
    let marks = match way {
        "rayon" => {
            let marks = handed
                .into_iter()
                .map(|photo| compute(pool, move || fingerprint(&photo)));
            join_all(marks).await
        }
        "spawn_blocking" => {
            let marks = handed
                .into_iter()
                .map(|photo| spawn_blocking(move || fingerprint(&photo)));
            try_join_all(marks).await?
        }
        "serial" => handed.iter().map(|photo| fingerprint(photo)).collect(),
        _ => bail!("no way {way}"),
    };
    let time = start.elapsed();
    let expected: Vec<u32> = photos.iter().map(|p| fingerprint(p)).collect();
    ensure!(marks == expected && marks[0] != marks[1]);
    Ok(time)
}
