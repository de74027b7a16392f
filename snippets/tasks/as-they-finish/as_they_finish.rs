// ANCHOR: all
// ANCHOR: keep
use std::collections::HashMap;
use std::future::Future;
use std::iter::Fuse;

use anyhow::Result;
use tokio::task::{Id, JoinSet};
use tokio::time::{Instant, timeout_at};

/// The deadline has passed.
#[derive(Debug, thiserror::Error)]
#[error("the deadline has passed")]
pub struct Late;

/// Tasks for the items, of which some have not begun.
pub struct Results<I: Iterator, W, T> {
    items: Fuse<I>,
    limit: usize,
    deadline: Instant,
    work: W,
    tasks: JoinSet<Result<T>>,
    running: HashMap<Id, I::Item>,
}

// ANCHOR: new
/// Runs `work` for each item in a task, at most `limit` at the same time.
pub fn as_completed<L: IntoIterator, W, T: 'static>(
    items: L,
    limit: usize,
    deadline: Instant,
    work: W,
) -> Results<L::IntoIter, W, T> {
    let items = items.into_iter().fuse();
    let (tasks, running) = (JoinSet::new(), HashMap::new());
    Results { items, limit: limit.max(1), deadline, work, tasks, running }
}
// ANCHOR_END: new

impl<I, W, T, F> Results<I, W, T>
where
    I: Iterator<Item: Clone + Send + 'static>,
    W: FnOnce(I::Item) -> F + Clone + Send + 'static,
    F: Future<Output = Result<T>> + Send,
    T: Send + 'static,
{
    /// The next task that ends: its item, and its value or error.
    pub async fn next(&mut self) -> Option<(I::Item, Result<T>)> {
        // ANCHOR: spawn
        while self.tasks.len() < self.limit {
            let Some(item) = self.items.next() else { break };
            let (work, deadline) = (self.work.clone(), self.deadline);
            let key = item.clone();
            // `work` is called in the task: if it panics, the task has ended.
            let task = self.tasks.spawn(async move {
                if Instant::now() >= deadline {
                    return Err(Late.into());
                }
                let result = timeout_at(deadline, work(item)).await;
                result.unwrap_or_else(|_| Err(Late.into()))
            });
            self.running.insert(task.id(), key);
        }
        // ANCHOR_END: spawn
        // ANCHOR: next
        let (id, result) = match self.tasks.join_next_with_id().await? {
            Ok((id, result)) => (id, result),
            Err(error) => (error.id(), Err(error.into())), // it has panicked
        };
        let item = self.running.remove(&id).expect("it was spawned");
        Some((item, result))
        // ANCHOR_END: next
    }
}
// ANCHOR_END: keep

// Carriers that are asked for parcels, and what must come of it.
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use anyhow::bail;
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::task::{JoinError, yield_now};
use tokio::time::{sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

/// Counts the requests that run, the most at the same time, and all.
#[derive(Default)]
struct Carrier {
    running: AtomicUsize,
    most: AtomicUsize,
    all: AtomicUsize,
}

struct Request<'a>(&'a Carrier);

impl Drop for Request<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Relaxed);
    }
}

impl Carrier {
    /// Replies after as many seconds as the parcel's number says.
    async fn track(self: Arc<Self>, parcel: u32) -> Result<&'static str> {
        let running = self.running.fetch_add(1, Relaxed) + 1;
        self.most.fetch_max(running, Relaxed);
        self.all.fetch_add(1, Relaxed);
        let _request = Request(&self);
        sleep(parcel % 10 * SECOND).await;
        match parcel {
            13 => bail!("404 Not Found"),
            22 => panic!("a comma in the number"),
            99 => pending().await,
            _ => Ok("in transit"),
        }
    }

    fn running(&self) -> usize {
        self.running.load(Relaxed)
    }
}

/// What asks a carrier. For parcel 33 it panics, and makes no future.
fn tracker(
    carrier: Arc<Carrier>,
) -> impl FnOnce(u32) -> BoxFuture<'static, Result<&'static str>> + Clone {
    move |parcel| {
        assert_ne!(parcel, 33, "a comma in the address");
        carrier.track(parcel).boxed()
    }
}

/// The error of a result, if it is one.
fn word(result: Result<&'static str>) -> String {
    match result {
        Ok(status) => {
            assert_eq!(status, "in transit");
            String::new()
        }
        Err(error) if error.is::<Late>() => ": late".into(),
        Err(error) => match error.downcast::<JoinError>() {
            Ok(error) if error.is_panic() => {
                assert!(error.to_string().contains("a comma"));
                ": a panic".into()
            }
            Ok(error) => format!(": {error}"),
            Err(error) => format!(": {error}"),
        },
    }
}

/// The parcels, a limit, how many seconds the caller takes with each result,
/// how many requests begin, and what the caller gets.
type Case = (&'static str, &'static [u32], usize, u32, usize, &'static str);

#[rustfmt::skip] // a table
const CASES: [Case; 12] = [
    ("all", &[5, 1, 3], 9, 0, 3, "1 at 1 s, 3 at 3 s, 5 at 5 s"),
    ("an error", &[13, 1], 9, 0, 2, "1 at 1 s, 13 at 3 s: 404 Not Found"),
    ("limit 2", &[5, 1, 3], 2, 0, 3, "1 at 1 s, 3 at 4 s, 5 at 5 s"),
    ("limit 0", &[2, 1], 0, 0, 2, "2 at 2 s, 1 at 3 s"),
    ("no parcel", &[], 9, 0, 0, "nothing"),
    ("a panic", &[22, 1], 9, 0, 2, "1 at 1 s, 22 at 2 s: a panic"),
    ("silent", &[99, 1], 9, 0, 2, "1 at 1 s, 99 at 10 s: late"),
    ("at the deadline", &[4, 6], 1, 0, 2, "4 at 4 s, 6 at 10 s"),
    ("work panics", &[33, 1], 1, 0, 1, "33 at 0 s: a panic, 1 at 1 s"),
    ("many", &[6, 7, 8], 1, 0, 2, "6 at 6 s, 7 at 10 s: late, 8 at 10 s: late"),
    ("slow", &[1, 2, 3], 9, 5, 3, "1 at 1 s, 2 at 6 s, 3 at 11 s"),
    ("slow, full", &[1, 2, 3], 1, 5, 2, "1 at 1 s, 2 at 8 s, 3 at 13 s: late"),
];

async fn run((name, parcels, limit, pause, begun, expected): Case) {
    let (start, carrier) = (Instant::now(), Arc::<Carrier>::default());
    let track = tracker(Arc::clone(&carrier));
    let (parcels, deadline) = (parcels.iter().copied(), start + 10 * SECOND);
    let mut results = as_completed(parcels, limit, deadline, track);
    let mut got = Vec::new();
    while let Some((parcel, result)) = results.next().await {
        let second = start.elapsed().as_secs();
        got.push(format!("{parcel} at {second} s{}", word(result)));
        sleep(pause * SECOND).await;
    }
    assert!(results.next().await.is_none());
    let got = if got.is_empty() { "nothing".into() } else { got.join(", ") };
    println!("{name}: {got}");
    assert_eq!(got, expected);
    assert_eq!(carrier.all.load(Relaxed), begun);
    assert!(carrier.most.load(Relaxed) <= limit.max(1));
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<()> {
    let carrier = Arc::<Carrier>::default();
    let track = tracker(Arc::clone(&carrier));
    // ANCHOR: call
    let deadline = Instant::now() + Duration::from_secs(10);
    let mut results = as_completed([5, 1, 13], 100, deadline, track);
    while let Some((parcel, result)) = results.next().await {
        match result {
            Ok(status) => println!("parcel {parcel}: {status}"),
            Err(error) => println!("parcel {parcel}: {error:#}"),
        }
    }
    // ANCHOR_END: call
    assert_eq!(carrier.most.load(Relaxed), 3);
    for case in CASES {
        run(case).await;
    }

    // The deadline has passed: no request begins.
    let carrier = Arc::<Carrier>::default();
    let track = tracker(Arc::clone(&carrier));
    let mut results = as_completed(30..40, 9, Instant::now(), track);
    while let Some((_, result)) = results.next().await {
        assert_eq!(word(result), ": late");
    }
    assert_eq!(carrier.all.load(Relaxed), 0);

    // `next` is dropped twice a second, and loses nothing.
    let (start, track) = (Instant::now(), tracker(Arc::clone(&carrier)));
    let mut results = as_completed([3, 1, 2], 2, start + 10 * SECOND, track);
    let mut got = Vec::new();
    loop {
        match timeout(SECOND / 2, results.next()).await {
            Ok(Some((parcel, _))) => got.push(parcel),
            Ok(None) => break,
            Err(_) => {}
        }
    }
    println!("next is cancelled: {got:?}");
    got.sort_unstable();
    assert_eq!(got, [1, 2, 3]);

    let carrier = Arc::<Carrier>::default();
    let track = tracker(Arc::clone(&carrier));
    let deadline = Instant::now() + 10 * SECOND;
    let mut results = as_completed([3, 1, 2], 2, deadline, track);
    let first = results.next().await.map(|(parcel, _)| parcel);
    assert_eq!((first, carrier.running()), (Some(1), 1));
    drop(results);
    println!("dropped: {} not yet aborted", carrier.running());
    yield_now().await;
    assert_eq!((carrier.running(), carrier.all.load(Relaxed)), (0, 2));
    Ok(())
}
// ANCHOR_END: all
