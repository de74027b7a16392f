// ANCHOR: all
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use anyhow::{Result, bail};
use tokio::time::{sleep, timeout};
use tokio_util::task::AbortOnDropHandle;

const MINUTE: Duration = Duration::from_secs(60);

/// Counts how many times the quotes are loaded.
#[derive(Clone, Default)]
struct Loads(Arc<AtomicU32>);

async fn refresh(loads: Loads) {
    loop {
        sleep(10 * MINUTE).await;
        loads.0.fetch_add(1, Relaxed);
    }
}

async fn serve() -> Result<()> {
    sleep(25 * MINUTE).await;
    bail!("the connection is lost")
}

// ANCHOR: broken_function
async fn leaks(loads: Loads) -> Result<()> {
    let task = tokio::spawn(refresh(loads));
    serve().await?; // an error returns, and drops the handle
    task.abort();
    Ok(())
}
// ANCHOR_END: broken_function

// ANCHOR: fixed_function
async fn owns(loads: Loads) -> Result<()> {
    let _task = AbortOnDropHandle::new(tokio::spawn(refresh(loads)));
    serve().await
}
// ANCHOR_END: fixed_function

/// How many times they are loaded in the next half hour. Two loads were in the
/// 25 minutes before.
async fn later(loads: Loads) -> u32 {
    let before = loads.0.load(Relaxed);
    assert_eq!(before, 2);
    sleep(30 * MINUTE).await;
    loads.0.load(Relaxed) - before
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let loads = Loads::default();
    // ANCHOR: fixed
    let end = owns(loads.clone()).await;
    let after = later(loads).await;
    // ANCHOR_END: fixed
    println!("AbortOnDropHandle: {after} loads after the error");
    assert!(end.is_err());
    assert_eq!(after, 0);

    let loads = Loads::default();
    // ANCHOR: fixed_timeout
    let task = AbortOnDropHandle::new(tokio::spawn(refresh(loads.clone())));
    let end = timeout(25 * MINUTE, task).await;
    // ANCHOR_END: fixed_timeout
    let after = later(loads).await;
    println!("AbortOnDropHandle in a timeout: {after} loads after it");
    assert!(end.is_err());
    assert_eq!(after, 0);

    let loads = Loads::default();
    // ANCHOR: broken
    let end = leaks(loads.clone()).await;
    let after = later(loads).await;
    // ANCHOR_END: broken
    println!("JoinHandle: {after} loads after the error");
    assert!(end.is_err());
    assert_eq!(after, 3);

    let loads = Loads::default();
    // ANCHOR: broken_timeout
    let task = tokio::spawn(refresh(loads.clone()));
    let end = timeout(25 * MINUTE, task).await;
    // ANCHOR_END: broken_timeout
    let after = later(loads).await;
    println!("JoinHandle in a timeout: {after} loads after it");
    assert!(end.is_err());
    assert_eq!(after, 3);
}
// ANCHOR_END: all
