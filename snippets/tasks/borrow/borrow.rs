// ANCHOR: all
// ANCHOR: keep
use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::thread;

use anyhow::Result;
use futures::future::try_join_all;
use tokio::task::{JoinSet, spawn_blocking};

/// What all tasks share. `ask` sends the request for a parcel.
struct Tracker<A> {
    ask: A,
    statuses: Mutex<HashMap<u32, String>>,
}

impl<A, F> Tracker<A>
where
    A: Fn(u32) -> F + Send + Sync + 'static,
    F: Future<Output = Result<String>> + Send + 'static,
{
    // ANCHOR: track
    /// No await while the lock's guard is alive: the guard is not `Send`.
    async fn track(&self, parcel: u32) -> Result<()> {
        let status = (self.ask)(parcel).await?;
        let mut statuses = self.statuses.lock().expect("no panic within");
        statuses.insert(parcel, status);
        Ok(())
    }
    // ANCHOR_END: track

    // ANCHOR: futures
    /// In the caller's task. The futures borrow `self`.
    async fn track_all(&self, parcels: &[u32]) -> Result<()> {
        let futures = parcels.iter().map(|parcel| self.track(*parcel));
        try_join_all(futures).await?;
        Ok(())
    }
    // ANCHOR_END: futures

    // ANCHOR: tasks
    /// In tasks. Each owns a clone of the `Arc`, and its parcel.
    async fn track_in_tasks(self: &Arc<Self>, parcels: &[u32]) -> Result<()> {
        let mut tasks = JoinSet::new();
        for &parcel in parcels {
            let tracker = Arc::clone(self);
            tasks.spawn(async move { tracker.track(parcel).await });
        }
        while let Some(end) = tasks.join_next().await {
            end??; // a panic, then an error
        }
        Ok(())
    }
    // ANCHOR_END: tasks
}

// ANCHOR: threads
/// On threads. They borrow from a thread that owns the parcels.
async fn render_all(
    parcels: Vec<u32>,
    render: fn(u32) -> String,
) -> Result<Vec<String>> {
    let owner = move || {
        let (left, right) = parcels.split_at(parcels.len() / 2);
        let render = |half: &[u32]| -> Vec<_> {
            half.iter().map(|parcel| render(*parcel)).collect()
        };
        thread::scope(|scope| {
            let left = scope.spawn(|| render(left));
            let right = render(right);
            let left = left.join().expect("a panic becomes an error below");
            [left, right].concat()
        })
    };
    Ok(spawn_blocking(owner).await?)
}
// ANCHOR_END: threads
// ANCHOR_END: keep

// A carrier that answers, fails and panics, and what must come of it.
use std::mem::forget;
use std::sync::Weak;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use anyhow::bail;
use futures::future::BoxFuture;
use futures::poll;
use tokio::task::yield_now;
use tokio::time::{sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

/// Answers after two seconds. Parcel 13 fails, and parcel 99 panics, after one.
async fn ask(parcel: u32) -> Result<String> {
    sleep(SECOND).await;
    match parcel {
        13 => bail!("404 Not Found"),
        99 => panic!("parcel 99 has no events"),
        _ => sleep(SECOND).await,
    }
    Ok("in transit".into())
}

/// A request that holds a clone of `running` until it ends.
type Ask = BoxFuture<'static, Result<String>>;

fn tracker() -> (Arc<Tracker<impl Fn(u32) -> Ask + Send + Sync>>, Weak<()>) {
    let running = Arc::new(());
    let weak = Arc::downgrade(&running);
    let ask = move |parcel| -> Ask {
        let running = Arc::clone(&running);
        Box::pin(async move {
            let _running = running;
            ask(parcel).await
        })
    };
    (Arc::new(Tracker { ask, statuses: Mutex::default() }), weak)
}

fn label(parcel: u32) -> String {
    assert_ne!(parcel, 99, "no address");
    format!("label {parcel}")
}

/// Pushes an event a second into what it has.
async fn listen(events: &mut Vec<u32>) {
    for event in 1.. {
        sleep(SECOND).await;
        events.push(event);
    }
}

/// Notes in `dropped` that it is dropped.
struct Guard<'a>(&'a AtomicBool);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

async fn waits(_guard: Guard<'_>) {
    std::future::pending().await
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<()> {
    // ANCHOR: call
    let tracker = Arc::new(Tracker { ask, statuses: Mutex::default() });
    tracker.track_all(&[7, 8]).await?;
    tracker.track_in_tasks(&[9]).await?;
    let labels = render_all(vec![7, 8, 9], label).await?;
    // ANCHOR_END: call
    let statuses = tracker.statuses.lock().expect("no panic within").len();
    println!("{statuses} statuses, {labels:?}");
    assert_eq!(statuses, 3);
    assert_eq!(labels, ["label 7", "label 8", "label 9"]);

    for (case, parcels, futures_end, tasks_end) in [
        ("ends", [7, 8], "ended", "ended"),
        ("an error", [7, 13], "404 Not Found", "404 Not Found"),
        ("a panic", [7, 99], "the caller panics", "a panic"),
    ] {
        // Both functions can run in a task: their futures are `Send`.
        let (shared, running) = self::tracker();
        let here = Arc::clone(&shared);
        let end = tokio::spawn(async move { here.track_all(&parcels).await });
        let end = match end.await {
            Ok(Ok(())) => "ended".into(),
            Ok(Err(error)) => error.to_string(),
            Err(error) => {
                assert!(error.is_panic());
                "the caller panics".into()
            }
        };
        let (done, runs) = (count(&shared), running.strong_count() - 1);
        println!("{case}, futures: {end}, {done} done, {runs} running");
        assert_eq!((end.as_str(), runs), (futures_end, 0));
        assert_eq!(done, if case == "ends" { 2 } else { 0 });

        let (shared, running) = self::tracker();
        let here = Arc::clone(&shared);
        let end =
            tokio::spawn(async move { here.track_in_tasks(&parcels).await });
        let end = match end.await? {
            Ok(()) => "ended".into(),
            Err(error) if error.is::<tokio::task::JoinError>() => {
                "a panic".into()
            }
            Err(error) => error.to_string(),
        };
        yield_now().await; // what is aborted ends
        let (done, runs) = (count(&shared), running.strong_count() - 1);
        println!("{case}, tasks: {end}, {done} done, {runs} running");
        assert_eq!((end.as_str(), runs), (tasks_end, 0));
        assert_eq!(done, if case == "ends" { 2 } else { 0 });
    }

    let (shared, running) = self::tracker();
    assert!(timeout(SECOND, shared.track_all(&[7, 8])).await.is_err());
    assert_eq!(running.strong_count(), 1, "dropped at once");
    let tasks = shared.track_in_tasks(&[7, 8]);
    assert!(timeout(SECOND, tasks).await.is_err());
    yield_now().await;
    assert_eq!(running.strong_count(), 1, "aborted");
    println!("cancelled: no request runs");

    let error = render_all(vec![7, 99], label).await.expect_err("a panic");
    assert!(error.to_string().contains("panic"), "{error}");
    println!("threads: a panic");
    let error = render_all(vec![99, 7], label).await.expect_err("a panic");
    assert!(error.to_string().contains("panic"), "{error}");

    // Each half has a thread of its own.
    let threads =
        render_all(vec![7, 8], |_| format!("{:?}", thread::current().id()));
    let threads = threads.await?;
    assert_ne!(threads[0], threads[1]);

    // What a task owns is dropped with it. What a future borrows is not.
    let mut events = vec![];
    let task = tokio::spawn(async move {
        listen(&mut events).await;
        events
    });
    sleep(5 * SECOND / 2).await;
    task.abort();
    let owned = task.await.ok();
    let mut lent = vec![];
    assert!(timeout(5 * SECOND / 2, listen(&mut lent)).await.is_err());
    println!("aborted: {owned:?}, lent: {lent:?}");
    assert_eq!((owned, lent), (None, vec![1, 2]));

    // A future that is forgotten keeps no borrow alive, and drops nothing.
    let dropped = AtomicBool::new(false);
    let mut future = Box::pin(waits(Guard(&dropped)));
    assert!(poll!(&mut future).is_pending());
    forget(future);
    println!("forgotten: dropped: {}", dropped.load(Relaxed));
    assert!(!dropped.load(Relaxed));
    let mut future = Box::pin(waits(Guard(&dropped)));
    assert!(poll!(&mut future).is_pending());
    drop(future);
    assert!(dropped.load(Relaxed));
    Ok(())
}

fn count<A>(tracker: &Tracker<A>) -> usize {
    tracker.statuses.lock().expect("no panic within").len()
}
// ANCHOR_END: all
