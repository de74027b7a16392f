// ANCHOR: all
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::task::{JoinError, yield_now};
use tokio::time::{sleep, timeout};
use tokio_util::task::AbortOnDropHandle;

type Events = Arc<Mutex<Vec<&'static str>>>;

const SECOND: Duration = Duration::from_secs(1);

async fn sync(events: Events) {
    let mut events = events.lock().await;
    sleep(2 * SECOND).await;
    events.push("sync");
}

async fn add_scan(events: Events) {
    events.lock().await.push("scan");
}

// ANCHOR: broken
async fn lends(events: Events) {
    let mut scan = pin!(add_scan(events.clone()));
    tokio::select! {
        () = &mut scan => {}
        () = sleep(SECOND) => {
            events.lock().await.push("late"); // `scan` is not polled
            scan.await;
        }
    }
}
// ANCHOR_END: broken

// ANCHOR: fixed
async fn spawns(events: Events) -> Result<(), JoinError> {
    let scan = tokio::spawn(add_scan(events.clone()));
    let mut scan = AbortOnDropHandle::new(scan);
    tokio::select! {
        end = &mut scan => end,
        () = sleep(SECOND) => {
            events.lock().await.push("late");
            scan.await
        }
    }
}
// ANCHOR_END: fixed

/// What has happened after a minute, and whether the lock is free after 30 s.
async fn minute<T>(
    scan: impl AsyncFn(Events) -> T,
) -> anyhow::Result<(Option<T>, Vec<&'static str>, bool)> {
    let events = Events::default();
    let sync = tokio::spawn(sync(events.clone()));
    yield_now().await; // it has the lock
    let half = async {
        sleep(30 * SECOND).await;
        assert!(sync.is_finished());
        events.try_lock().is_ok()
    };
    let (end, free) =
        tokio::join!(timeout(60 * SECOND, scan(events.clone())), half);
    let events = events.try_lock()?.clone();
    Ok((end.ok(), events, free))
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let (end, events, free) = minute(lends).await?;
    println!("a future that is not polled: {end:?}, {events:?}");
    assert_eq!((end, free), (None, false), "locked, and `sync` has ended");
    assert_eq!(events, ["sync"]);

    let (end, events, free) = minute(spawns).await?;
    let end = end.map(|end| end.is_ok());
    println!("a task: {end:?}, {events:?}");
    assert_eq!((end, free), (Some(true), true));
    assert_eq!(events, ["sync", "scan", "late"]);

    let events = Events::default();
    spawns(events.clone()).await?;
    assert_eq!(*events.lock().await, ["scan"]);
    Ok(())
}
// ANCHOR_END: all
