// ANCHOR: all
// ANCHOR: keep
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use tokio::sync::{Semaphore, SemaphorePermit};

/// How many jobs were sent, and those that wait, by priority and number.
type Jobs<P, J> = (u64, BTreeMap<(P, u64), J>);

struct PriorityQueue<P, J> {
    jobs: Mutex<Jobs<P, J>>,
    waiting: Semaphore, // a permit for each job that waits
    places: Semaphore,  // a permit for each free place
}

impl<P: Ord, J: Clone + Send + 'static> PriorityQueue<P, J> {
    // ANCHOR: new
    fn new(capacity: usize) -> Self {
        let (waiting, places) = (Semaphore::new(0), Semaphore::new(capacity));
        PriorityQueue { jobs: Mutex::default(), waiting, places }
    }
    // ANCHOR_END: new

    fn lock(&self) -> MutexGuard<'_, Jobs<P, J>> {
        // If a comparison panics, the map has not changed.
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // ANCHOR: send
    /// Waits for a place. The job comes back if the queue is closed.
    async fn send(&self, priority: P, job: J) -> Result<(), J> {
        let Ok(place) = self.places.acquire().await else { return Err(job) };
        let (number, jobs) = &mut *self.lock();
        if self.places.is_closed() {
            return Err(job);
        }
        *number += 1;
        jobs.insert((priority, *number), job);
        place.forget();
        self.waiting.add_permits(1);
        Ok(())
    }
    // ANCHOR_END: send

    // ANCHOR: recv
    /// The first job, or `None` if the queue is closed and empty.
    async fn recv(&self) -> Option<J> {
        // Fails if the queue is closed: then the rest is received.
        _ = self.waiting.acquire().await.map(SemaphorePermit::forget);
        let (_, job) = self.lock().1.pop_first()?;
        self.places.add_permits(1);
        Some(job)
    }
    // ANCHOR_END: recv

    // ANCHOR: close
    fn close(&self) {
        self.places.close(); // first: `send` inserts nothing after this
        self.waiting.close();
    }
    // ANCHOR_END: close

    // ANCHOR: work
    /// Handles each job in a task, which catches a panic, and reports it.
    async fn work<F: Future<Output = Result<()>> + Send + 'static>(
        self: Arc<Self>,
        handle: impl Fn(J) -> F + Clone + Send + 'static,
        report: impl Fn(J, Result<()>),
    ) {
        while let Some(job) = self.recv().await {
            let (handle, input) = (handle.clone(), job.clone());
            let task = tokio::spawn(async move { handle(input).await });
            let result = task.await.unwrap_or_else(|panic| Err(panic.into()));
            report(job, result);
        }
    }
    // ANCHOR_END: work
}
// ANCHOR_END: keep

// Notifications that are sent for parcels, and what must come of them.
use std::cmp::Ordering;
use std::collections::BTreeMap as Map;
use std::future::pending;
use std::task::{Context, Wake};
use std::time::Duration;

use anyhow::{Error, anyhow};
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::{JoinSet, yield_now};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

const SECOND: Duration = Duration::from_secs(1);

/// Sends a notification, in five seconds. Parcels that end in 0 have no
/// address.
async fn notify(parcel: u32) -> Result<()> {
    sleep(5 * SECOND).await;
    assert_ne!(parcel, 13, "a comma in the address");
    anyhow::ensure!(!parcel.is_multiple_of(10), "no address");
    Ok(())
}

/// The parcels that were reported, in this order, and how each ended.
#[derive(Clone, Default)]
struct Reports(Arc<Mutex<Vec<(u32, String)>>>);

impl Reports {
    fn add(&self, parcel: u32, result: Result<()>) {
        let end = match result {
            Ok(()) => "done".to_owned(),
            Err(error) if error.is::<tokio::task::JoinError>() => {
                "panicked".to_owned()
            }
            Err(error) => error.to_string(),
        };
        self.0.lock().expect("no panic").push((parcel, end));
    }

    fn parcels(&self) -> Vec<u32> {
        let ends = self.0.lock().expect("no panic");
        ends.iter().map(|(parcel, _)| *parcel).collect()
    }

    /// How many jobs ended in each way.
    fn count(&self) -> Map<String, usize> {
        let mut count = Map::new();
        for (_, end) in &*self.0.lock().expect("no panic") {
            *count.entry(end.clone()).or_default() += 1;
        }
        count
    }
}

type Queue = Arc<PriorityQueue<u8, u32>>;

fn start(count: usize, capacity: usize) -> (Queue, JoinSet<()>, Reports) {
    let jobs = Arc::new(PriorityQueue::new(capacity));
    let (mut workers, reports) = (JoinSet::new(), Reports::default());
    for _ in 0..count {
        let reports = reports.clone();
        let report = move |parcel, result| reports.add(parcel, result);
        workers.spawn(jobs.clone().work(notify, report));
    }
    (jobs, workers, reports)
}

// ANCHOR: order
/// The worker has parcel 1 when the others come.
async fn order() {
    let (jobs, workers, reports) = start(1, 8);
    for (priority, parcel) in [(1, 1), (2, 2), (1, 3), (2, 4), (0, 5), (1, 6)] {
        jobs.send(priority, parcel).await.expect("it is open");
        yield_now().await;
    }
    jobs.close();
    workers.join_all().await;
    println!("order: {:?}", reports.parcels());
    assert_eq!(reports.parcels(), [1, 5, 3, 6, 2, 4]);
}
// ANCHOR_END: order

async fn all() {
    let (jobs, workers, reports) = start(3, 8);
    let start = Instant::now();
    for parcel in 1..=100 {
        jobs.send(1, parcel).await.expect("it is open");
    }
    jobs.close();
    workers.join_all().await;
    println!("100 jobs: {:?}", reports.count());
    let expected = [("done", 89), ("no address", 10), ("panicked", 1)];
    let count = reports.count();
    assert!(count.iter().map(|(end, n)| (end.as_str(), *n)).eq(expected));
    assert_eq!(start.elapsed(), 170 * SECOND, "34 rounds");

    // A function that panics before it returns a future.
    let (jobs, reports) = (Arc::new(PriorityQueue::new(8)), Reports::default());
    for parcel in 1..=2 {
        jobs.send(1, parcel).await.expect("it is open");
    }
    jobs.close();
    let handle = |parcel: u32| {
        assert_ne!(parcel, 1, "no client");
        notify(parcel)
    };
    jobs.work(handle, |parcel, result| reports.add(parcel, result)).await;
    let ends = reports.0.lock().expect("no panic").clone();
    let expected = [(1, "panicked".to_owned()), (2, "done".to_owned())];
    assert_eq!(ends, expected);
}

async fn full() {
    let (jobs, workers, reports) = start(1, 2);
    let start = Instant::now();
    let mut accepted = Vec::new();
    for parcel in 1..=5 {
        jobs.send(1, parcel).await.expect("it is open");
        accepted.push(start.elapsed().as_secs());
    }
    println!("full: accepted after {accepted:?} s");
    // The worker has one, two wait, and the others had to wait.
    assert_eq!(accepted, [0, 0, 0, 5, 10]);

    // A caller that gives up has sent nothing.
    let sent = timeout(SECOND, jobs.send(0, 6)).await;
    println!("given up: {}", if sent.is_err() { "503" } else { "accepted" });
    assert!(sent.is_err());
    jobs.close();
    workers.join_all().await;
    assert_eq!(reports.parcels(), [1, 2, 3, 4, 5]);
}

/// Wakes a `send` that waits for a place. Was the queue still open for `recv`?
struct Woken {
    jobs: Queue,
    open: Mutex<Option<bool>>,
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        let open = !self.jobs.waiting.is_closed();
        *self.open.lock().expect("no panic") = Some(open);
    }
}

async fn closed() {
    let (jobs, workers, reports) = start(1, 2);
    let mut producers = JoinSet::new();
    for parcel in 1..=6 {
        let jobs = jobs.clone();
        producers.spawn(async move { jobs.send(1, parcel).await });
    }
    sleep(SECOND).await;
    jobs.close();
    let refused = producers.join_all().await.into_iter();
    let mut refused: Vec<_> = refused.filter_map(Result::err).collect();
    refused.extend(jobs.send(0, 7).await.err());
    workers.join_all().await;
    let done = reports.parcels();
    println!("closed: reported {done:?}, refused {refused:?}");
    assert_eq!((done, refused), (vec![1, 2, 3], vec![4, 5, 6, 7]));
    assert_eq!(jobs.recv().await, None);

    // `close` closes the places first. Otherwise the workers could end, and
    // then a job could be sent.
    let jobs = Arc::new(PriorityQueue::new(1));
    jobs.send(1, 1).await.expect("it is open");
    let woken = Arc::new(Woken { jobs: jobs.clone(), open: Mutex::default() });
    let mut waits = Box::pin(jobs.send(1, 2));
    let waker = woken.clone().into();
    let mut context = Context::from_waker(&waker);
    assert!(waits.as_mut().poll(&mut context).is_pending());
    jobs.close();
    let open = *woken.open.lock().expect("no panic");
    assert_eq!(open, Some(true), "it can receive when a `send` is refused");
    assert_eq!(waits.await, Err(2));

    // A job must not be inserted when the workers have ended: `send` has its
    // place, and cannot have the lock before the queue is closed.
    let jobs = Arc::new(PriorityQueue::new(2));
    let guard = jobs.lock();
    let late = jobs.clone();
    let late = std::thread::spawn(move || {
        futures::executor::block_on(late.send(1, 8))
    });
    while jobs.places.available_permits() == 2 {
        std::thread::yield_now();
    }
    jobs.places.close();
    drop(guard);
    assert_eq!(late.join().expect("no panic"), Err(8));
    assert_eq!(jobs.lock().1.len(), 0);
}

/// At the limit the token cancels the jobs that run. The others come back.
/// One job is `stuck`, and ignores the token.
async fn limit(stuck: Option<u32>) {
    let start = Instant::now();
    let (jobs, reports) = (Arc::new(PriorityQueue::new(8)), Reports::default());
    let (token, mut workers) = (CancellationToken::new(), JoinSet::new());
    for _ in 0..2 {
        // ANCHOR: cancel
        let token = token.clone();
        let handle = move |parcel| {
            let notified =
                token.clone().run_until_cancelled_owned(notify(parcel));
            async { notified.await.unwrap_or(Err(anyhow!("cancelled"))) }
        };
        // ANCHOR_END: cancel
        let handle = move |parcel| {
            let handled = handle(parcel);
            async move {
                match stuck {
                    Some(stuck) if stuck == parcel => pending().await,
                    _ => handled.await,
                }
            }
        };
        let reports = reports.clone();
        let report = move |parcel, result| reports.add(parcel, result);
        workers.spawn(jobs.clone().work(handle, report));
    }
    for parcel in 1..=6 {
        jobs.send(1, parcel).await.expect("it is open");
    }
    // ANCHOR: limit
    jobs.close();
    let mut left = Vec::new();
    if timeout(7 * SECOND, finish(&mut workers)).await.is_err() {
        while let Some(job) = jobs.recv().await {
            left.push(job); // not started
        }
        token.cancel();
        if timeout(SECOND, finish(&mut workers)).await.is_err() {
            tracing::error!("a job does not stop");
        }
    }
    // ANCHOR_END: limit
    let (case, cancelled, took) = match stuck {
        None => ("limit", 2, 7),
        Some(_) => ("stuck", 1, 8),
    };
    println!("{case}: {:?}, not started: {left:?}", reports.count());
    let ends = [("cancelled".to_owned(), cancelled), ("done".to_owned(), 2)];
    assert_eq!(reports.count(), Map::from(ends));
    assert_eq!((left, start.elapsed().as_secs()), (vec![5, 6], took));
}

async fn cancelled() {
    // A caller of `recv` that gives up takes no job with it.
    let (jobs, workers, reports) = start(0, 8);
    drop(workers);
    let mut first = Box::pin(jobs.recv());
    assert!(futures::poll!(&mut first).is_pending());
    jobs.send(1, 1).await.expect("it is open"); // it is for `first`
    drop(first);
    let left = jobs.recv().await;
    println!("recv, cancelled: left: {left:?}");
    assert_eq!(left, Some(1));

    // A worker that is aborted leaves the job that it has running.
    let notified = reports.clone();
    let handle = move |parcel| {
        let notified = notified.clone();
        async move {
            notify(parcel).await?;
            notified.add(parcel, Ok(()));
            Ok(())
        }
    };
    let ignore = |_, _| panic!("it has been aborted");
    let worker = tokio::spawn(jobs.clone().work(handle, ignore));
    for parcel in 1..=2 {
        jobs.send(1, parcel).await.expect("it is open");
    }
    sleep(SECOND).await;
    worker.abort();
    sleep(60 * SECOND).await;
    let left = jobs.recv().await;
    let done = reports.parcels();
    println!("aborted: notified {done:?}, left: {left:?}");
    assert_eq!((done, left), (vec![1], Some(2)));

    // A `report` that panics ends its worker.
    let worker = tokio::spawn(jobs.clone().work(notify, |parcel, _| {
        assert_ne!(parcel, 1, "no log");
    }));
    for parcel in 1..=2 {
        jobs.send(1, parcel).await.expect("it is open");
    }
    let end = worker.await;
    let left = jobs.recv().await;
    println!("report: the worker panicked, left: {left:?}");
    assert!(end.is_err_and(|error| error.is_panic()) && left == Some(2));

    // Another worker handles the rest, and `finish` waits for it.
    let (mut workers, done) = (JoinSet::new(), Reports::default());
    for _ in 0..2 {
        let done = done.clone();
        workers.spawn(jobs.clone().work(notify, move |parcel, result| {
            assert_ne!(parcel, 1, "no log");
            done.add(parcel, result);
        }));
    }
    for parcel in 1..=6 {
        jobs.send(1, parcel).await.expect("it is open");
    }
    jobs.close();
    finish(&mut workers).await;
    println!("report, then the others: {:?}", done.parcels());
    assert_eq!(done.parcels(), [2, 3, 4, 5, 6]);
}

// ANCHOR: reserved_jobs
/// A job that can wait holds a permit until it is dropped.
type Limited = (u32, Option<Arc<OwnedSemaphorePermit>>);
// ANCHOR_END: reserved_jobs

/// Bulk jobs come all the time. When is parcel 1, which is urgent, accepted?
async fn reserved() {
    let mut accepted = Vec::new();
    for reserve in [false, true] {
        let jobs = Arc::new(PriorityQueue::<u8, Limited>::new(8));
        let bulk = Arc::new(Semaphore::new(6));
        let (mut tasks, queue) = (JoinSet::new(), jobs.clone());
        tasks.spawn(async move {
            while let Some((parcel, _permit)) = queue.recv().await {
                _ = notify(parcel).await;
            }
        });
        for parcel in 101..=120 {
            let (jobs, bulk) = (jobs.clone(), bulk.clone());
            tasks.spawn(async move {
                if reserve {
                    // ANCHOR: fixed_full
                    // At most six of the eight places are for bulk jobs.
                    let permit = bulk.acquire_owned().await.ok();
                    let job = (parcel, permit.map(Arc::new));
                    let sent = jobs.send(2, job).await;
                    // ANCHOR_END: fixed_full
                    sent.expect("it is open");
                } else {
                    // ANCHOR: broken_full
                    let sent = jobs.send(2, (parcel, None)).await;
                    // ANCHOR_END: broken_full
                    sent.expect("it is open");
                }
            });
        }
        sleep(SECOND).await;
        let start = Instant::now();
        jobs.send(0, (1, None)).await.expect("it is open");
        accepted.push(start.elapsed().as_secs());
    }
    println!("urgent: accepted after {accepted:?} s");
    assert_eq!(accepted, [59, 0]);
}

/// An urgent job comes every five seconds, as long as one takes. When is the
/// job that can wait received?
async fn starved() -> Result<(), &'static str> {
    let jobs = PriorityQueue::new(8);
    jobs.send(9, "can wait").await?;
    for _ in 0..1000 {
        // ANCHOR: broken_starve
        jobs.send(1, "urgent").await?;
        // ANCHOR_END: broken_starve
        assert_eq!(jobs.recv().await, Some("urgent"));
        sleep(5 * SECOND).await;
    }
    println!("starved: after {:?} it is not received", 1000 * 5 * SECOND);
    assert_eq!(jobs.recv().await, Some("can wait"));

    let jobs = PriorityQueue::new(8);
    let start = Instant::now();
    jobs.send(start + 60 * SECOND, "can wait").await?;
    for _ in 1..=1000 {
        // ANCHOR: fixed_starve
        let priority = Instant::now() + 10 * SECOND;
        jobs.send(priority, "urgent").await?;
        // ANCHOR_END: fixed_starve
        if jobs.recv().await == Some("can wait") {
            break;
        }
        sleep(5 * SECOND).await;
    }
    println!("deadline: received after {:?}", start.elapsed());
    assert_eq!(start.elapsed(), 50 * SECOND, "60 - 10");
    Ok(())
}

/// A priority whose comparison may panic.
#[derive(PartialEq, Eq)]
struct Broken(bool);

impl PartialOrd for Broken {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Broken {
    fn cmp(&self, other: &Self) -> Ordering {
        assert!(!self.0 && !other.0, "they cannot be compared");
        Ordering::Equal
    }
}

async fn comparison() {
    let jobs = Arc::new(PriorityQueue::new(2));
    assert!(jobs.send(Broken(false), 1).await.is_ok());
    let sender = jobs.clone();
    let task = async move { sender.send(Broken(true), 2).await };
    tokio::spawn(task).await.expect_err("a panic");
    assert!(jobs.send(Broken(false), 3).await.is_ok(), "its place is free");
    jobs.close();
    let left = [jobs.recv().await, jobs.recv().await, jobs.recv().await];
    println!("comparison: {left:?}");
    assert_eq!(left, [Some(1), Some(3), None]);
}

// ANCHOR: finish
/// Waits for all workers, also if the `report` of one has panicked.
async fn finish(workers: &mut JoinSet<()>) {
    while let Some(end) = workers.join_next().await {
        if let Err(error) = end {
            tracing::error!(%error, "a worker has ended");
        }
    }
}
// ANCHOR_END: finish

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<()> {
    // ANCHOR: call
    let jobs = Arc::new(PriorityQueue::new(8));
    let report = |parcel: u32, result: Result<()>| match result {
        Ok(()) => tracing::info!(parcel, "notified"),
        Err(error) => tracing::error!(parcel, ?error, "not notified"),
    };
    let mut workers = JoinSet::new();
    for _ in 0..3 {
        workers.spawn(jobs.clone().work(notify, report));
    }
    if let Err(parcel) = jobs.send(1, 7).await {
        tracing::warn!(parcel, "the queue is closed");
    }
    jobs.close(); // before `main` ends
    finish(&mut workers).await;
    // ANCHOR_END: call

    order().await;
    all().await;
    full().await;
    closed().await;
    limit(None).await;
    limit(Some(4)).await;
    cancelled().await;
    reserved().await;
    starved().await.map_err(Error::msg)?;
    comparison().await;
    Ok(())
}
// ANCHOR_END: all
