// ANCHOR: all
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use tokio::runtime::Builder;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

const SECOND: Duration = Duration::from_secs(1);

async fn track(parcel: u32) -> Result<String> {
    sleep(SECOND).await;
    match parcel {
        13 => bail!("parcel 13 is unknown"),
        99 => panic!("parcel 99 has no events"),
        _ => Ok(format!("parcel {parcel} is in transit")),
    }
}

// ANCHOR: end_of
async fn end_of(task: JoinHandle<Result<String>>) -> String {
    match task.await {
        Ok(Ok(status)) => status,
        Ok(Err(error)) => format!("error: {error:#}"),
        Err(error) if error.is_panic() => format!("panic: {error}"),
        Err(_) => "cancelled".into(), // by `abort`, or with its runtime
    }
}
// ANCHOR_END: end_of

/// A connection that is in use until it is dropped; `Arc` counts them.
type Conn = Arc<()>;

/// Runs an hour.
async fn watch(_conn: Conn) {
    sleep(3600 * SECOND).await;
}

/// Whether the task that has a connection still runs, a second later.
async fn runs_on(conn: &Conn) -> bool {
    sleep(SECOND).await;
    Arc::strong_count(conn) > 1
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<()> {
    // ANCHOR: spawn
    let task = tokio::spawn(track(7)); // it runs from now on
    let status = task.await??; // a panic, then an error of `track`
    // ANCHOR_END: spawn
    assert_eq!(status, "parcel 7 is in transit");

    let runtime = Builder::new_current_thread().enable_time().build()?;
    let lost = runtime.spawn(track(7));
    runtime.shutdown_background();
    let aborted = tokio::spawn(track(7));
    aborted.abort();
    for (case, task, expected) in [
        ("track(7)", tokio::spawn(track(7)), "parcel 7 is in transit"),
        ("track(13)", tokio::spawn(track(13)), "error: parcel 13 is unknown"),
        ("track(99)", tokio::spawn(track(99)), "panic: task"),
        ("aborted", aborted, "cancelled"),
        ("its runtime has ended", lost, "cancelled"),
    ] {
        let end = end_of(task).await;
        println!("{case}: {end}");
        assert!(end.starts_with(expected));
    }

    let conn = Conn::default();
    let start = || tokio::spawn(watch(Arc::clone(&conn)));
    drop(start());
    println!("JoinHandle: runs on: {}", runs_on(&conn).await);
    assert!(runs_on(&conn).await);

    let conn = Conn::default();
    let start = || tokio::spawn(watch(Arc::clone(&conn)));
    drop(AbortOnDropHandle::new(start()));
    println!("AbortOnDropHandle: runs on: {}", runs_on(&conn).await);
    assert!(!runs_on(&conn).await);

    let task = AbortOnDropHandle::new(start());
    assert!(timeout(SECOND, task).await.is_err());
    assert!(!runs_on(&conn).await);

    let tasks = JoinSet::from_iter([watch(Arc::clone(&conn))]);
    drop(tasks);
    println!("JoinSet: runs on: {}", runs_on(&conn).await);
    assert!(!runs_on(&conn).await);

    let tracker = TaskTracker::new();
    let task = tracker.spawn(watch(Arc::clone(&conn)));
    drop(tracker);
    println!("TaskTracker: runs on: {}", runs_on(&conn).await);
    assert!(runs_on(&conn).await);
    task.abort();
    assert!(!runs_on(&conn).await);

    let task = AbortOnDropHandle::new(start());
    task.detach();
    assert!(runs_on(&conn).await);
    Ok(())
}
// ANCHOR_END: all
