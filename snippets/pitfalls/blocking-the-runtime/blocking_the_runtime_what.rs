// ANCHOR: all
use std::future::Future;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};
use std::{fs, thread};

use tokio::task::spawn_blocking;
use tokio::time::sleep;

const MS: Duration = Duration::from_millis(1);

static OTHER: AtomicU32 = AtomicU32::new(0);

/// Another task on the same thread.
async fn other() {
    loop {
        sleep(MS).await;
        OTHER.fetch_add(1, Relaxed);
    }
}

/// Repeats the work until the other task has run ten times, or until the time
/// is over. Whether the other task has run at all.
async fn runs<F: Future>(work: impl Fn() -> F, limit: Duration) -> bool {
    let (end, before) = (Instant::now() + limit, OTHER.load(Relaxed));
    while Instant::now() < end && OTHER.load(Relaxed) < before + 10 {
        work().await;
    }
    OTHER.load(Relaxed) > before
}

fn checksum(scans: &[u8]) -> u64 {
    scans.iter().fold(0, |sum, scan| sum * 31 % 65_521 + u64::from(*scan))
}

// ANCHOR: broken
async fn broken_wait() {
    thread::sleep(MS);
}

async fn broken_read(file: &Path) -> std::io::Result<Vec<u8>> {
    fs::read(file)
}

async fn broken_checksum(scans: Vec<u8>) -> u64 {
    checksum(&scans)
}
// ANCHOR_END: broken

// ANCHOR: fixed
async fn wait() {
    sleep(MS).await;
}

async fn read(file: &Path) -> std::io::Result<Vec<u8>> {
    tokio::fs::read(file).await
}

async fn checksum_beside(scans: Vec<u8>) -> anyhow::Result<u64> {
    Ok(spawn_blocking(move || checksum(&scans)).await?)
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let task = tokio::spawn(other());
    while OTHER.load(Relaxed) == 0 {
        sleep(MS).await;
    }
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("scans");
    let scans = || vec![7; 100_000];
    fs::write(&file, scans())?;

    let short = 100 * MS;
    assert!(!runs(broken_wait, short).await);
    assert!(!runs(|| broken_read(&file), short).await);
    assert!(!runs(|| broken_checksum(scans()), short).await);
    println!("thread::sleep, fs::read, a computation: no other task runs");

    let long = Duration::from_secs(30);
    assert!(runs(wait, long).await);
    assert!(runs(|| read(&file), long).await);
    assert!(runs(|| checksum_beside(scans()), long).await);
    println!("sleep, tokio::fs::read, spawn_blocking: the others run");
    assert_eq!(read(&file).await?, scans());
    assert_eq!(checksum_beside(scans()).await?, checksum(&scans()));

    task.abort();
    assert!(task.await.is_err_and(|error| error.is_cancelled()));
    Ok(())
}
// ANCHOR_END: all
