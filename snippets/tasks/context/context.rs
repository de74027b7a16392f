// ANCHOR: all
use std::future::Future;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::Result;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::sleep;

// ANCHOR: case
tokio::task_local! {
    /// The number of the case that this task works on.
    static CASE: u32;
}
// ANCHOR_END: case

static LOG: Mutex<Vec<String>> = Mutex::new(Vec::new());

// ANCHOR: note
fn note(what: &str) {
    let case = CASE.try_with(u32::to_string).unwrap_or("?".into());
    let line = format!("case {case}: {what}");
    println!("{line}");
    LOG.lock().expect("never poisoned").push(line);
}
// ANCHOR_END: note

// ANCHOR: along
/// A task that works on the same case as who has spawned it, if on any.
fn spawn_along<F>(work: F) -> JoinHandle<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    match CASE.try_get() {
        Ok(case) => tokio::spawn(CASE.scope(case, work)),
        Err(_) => tokio::spawn(work),
    }
}

/// The same for what blocks.
fn spawn_blocking_along<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> JoinHandle<T> {
    match CASE.try_get() {
        Ok(case) => spawn_blocking(move || CASE.sync_scope(case, work)),
        Err(_) => spawn_blocking(work),
    }
}
// ANCHOR_END: along

async fn copy() {
    note("copied");
}

async fn hear(hours: u64) -> Result<()> {
    note("opened");
    sleep(Duration::from_secs(3600 * hours)).await;
    // ANCHOR: spawn
    spawn_along(copy()).await?;
    // ANCHOR_END: spawn
    // ANCHOR: thread
    spawn_blocking_along(|| note("filed")).await?;
    // ANCHOR_END: thread
    Ok(())
}

// ANCHOR: handle
async fn handle(case: u32, hours: u64) -> Result<()> {
    CASE.scope(case, hear(hours)).await
}
// ANCHOR_END: handle

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<()> {
    note("the court sits");
    // ANCHOR: both
    tokio::try_join!(handle(7, 2), handle(8, 1))?;
    // ANCHOR_END: both

    let log = LOG.lock().expect("never poisoned");
    let count = |case| log.iter().filter(|l| l.starts_with(case)).count();
    assert_eq!((count("case 7"), count("case 8"), count("case ?")), (3, 3, 1));
    Ok(())
}
// ANCHOR_END: all
