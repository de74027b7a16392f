// ANCHOR: all
// ANCHOR: keep
use std::sync::Mutex;

use tokio::sync::{Notify, watch};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Status {
    Accepted,
    InTransit,
    Delivered,
}

/// A parcel. Tasks can wait for its status.
struct Parcel {
    status_tx: watch::Sender<Status>,
}

impl Parcel {
    // ANCHOR: new
    fn new() -> Self {
        Parcel { status_tx: watch::Sender::new(Status::Accepted) }
    }
    // ANCHOR_END: new

    // ANCHOR: scan
    /// Wakes the tasks that wait, unless a later scan has come before.
    fn scan(&self, status: Status) {
        self.status_tx.send_if_modified(|now| {
            let is_later = status > *now;
            *now = status.max(*now);
            is_later
        });
    }
    // ANCHOR_END: scan

    /// Waits until the parcel has the status, or a later one. Returns it.
    async fn reached(&self, status: Status) -> Status {
        // ANCHOR: reached
        let mut status_rx = self.status_tx.subscribe();
        let now = status_rx.wait_for(|now| *now >= status).await;
        let now = now.expect("the parcel owns the sender");
        *now
        // ANCHOR_END: reached
    }
}

/// Jobs for several workers. The largest number is the most urgent job.
#[derive(Default)]
struct Jobs {
    jobs: Mutex<std::collections::BinaryHeap<u32>>,
    added: Notify,
}

impl Jobs {
    fn add(&self, job: u32) {
        // ANCHOR: add
        self.jobs.lock().expect("no panic within").push(job);
        self.added.notify_one();
        // ANCHOR_END: add
    }

    // ANCHOR: take
    async fn take(&self) -> u32 {
        self.wait_for(|| self.jobs.lock().expect("no panic within").pop()).await
    }
    // ANCHOR_END: take

    /// Waits until `look` returns a value.
    async fn wait_for<T>(&self, look: impl Fn() -> Option<T>) -> T {
        tokio::task::coop::consume_budget().await; // lets other tasks run
        let mut added = std::pin::pin!(self.added.notified());
        loop {
            added.as_mut().enable(); // joins the queue of waiters
            if let Some(value) = look() {
                return value;
            }
            added.as_mut().await;
            added.set(self.added.notified());
        }
    }
}
// ANCHOR_END: keep

// Tasks that wait for parcels and jobs, and what must come of them.
use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::join_all;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep, timeout};

impl Jobs {
    fn is_empty(&self) -> bool {
        self.jobs.lock().expect("no panic within").is_empty()
    }

    fn pop(&self) -> Option<u32> {
        self.jobs.lock().expect("no panic within").pop()
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: call
    let parcel = Arc::new(Parcel::new());
    let waiting = Arc::clone(&parcel);
    let notification = tokio::spawn(async move {
        let status = waiting.reached(Status::InTransit).await;
        println!("notify the customer: {status:?}");
    });
    sleep(Duration::from_secs(2)).await;
    parcel.scan(Status::InTransit);
    // ANCHOR_END: call
    notification.await?;
    parcels().await?;
    jobs().await?;
    gap();
    cancelled().await?;
    cooperates().await?;
    Ok(())
}

async fn wait(parcel: Arc<Parcel>) -> Status {
    parcel.reached(Status::InTransit).await
}

async fn parcels() -> anyhow::Result<()> {
    let parcel = Arc::new(Parcel::new());
    let start = Instant::now();
    // ANCHOR: parcels
    let task = || tokio::spawn(wait(Arc::clone(&parcel)));
    let waiting = [task(), task(), task()];
    sleep(SECOND).await;
    parcel.scan(Status::InTransit);
    let ends = join_all(waiting).await;
    // ANCHOR_END: parcels
    assert!(ends.iter().all(|end| end.is_ok()));
    println!("many: {} tasks wake", ends.len());
    assert_eq!(start.elapsed(), SECOND);

    let now = parcel.reached(Status::InTransit).now_or_never();
    println!("already: {now:?} at once");
    assert_eq!(now, Some(Status::InTransit));
    let day = timeout(86_400 * SECOND, parcel.reached(Status::Delivered));
    let never = day.await.is_err();
    println!("no scan: waits: {never}");
    assert!(never);

    // Two scans, before the task that waits runs again.
    let parcel = Arc::new(Parcel::new());
    let waiting = tokio::spawn(wait(Arc::clone(&parcel)));
    yield_now().await;
    parcel.scan(Status::InTransit);
    parcel.scan(Status::Delivered);
    let now = waiting.await?;
    println!("two scans: {now:?}");
    assert_eq!(now, Status::Delivered);

    // A scan comes late, and one comes twice.
    let mut status_rx = parcel.status_tx.subscribe();
    parcel.scan(Status::InTransit);
    let now = *status_rx.borrow_and_update();
    println!("late scan: {now:?}");
    assert_eq!(now, Status::Delivered);
    parcel.scan(Status::Delivered);
    assert!(!status_rx.has_changed()?, "it wakes no task");

    // A receiver alone, and its sender is dropped.
    let parcel = Parcel::new();
    let mut status_rx = parcel.status_tx.subscribe();
    drop(parcel);
    let there = status_rx.wait_for(|now| *now == Status::Accepted).await;
    assert!(there.is_ok());
    drop(there);
    let error = status_rx.wait_for(|now| *now == Status::Delivered).await;
    let error = error.expect_err("no more scans").to_string();
    println!("sender dropped: {error}");
    assert_eq!(error, "channel closed");
    Ok(())
}

async fn work(jobs: Arc<Jobs>) -> u32 {
    jobs.take().await
}

async fn jobs() -> anyhow::Result<()> {
    let jobs = Arc::new(Jobs::default());
    jobs.add(1);
    jobs.add(5);
    let first = jobs.take().now_or_never();
    let taken = [first, jobs.take().now_or_never()];
    println!("jobs before workers: {taken:?}");
    assert_eq!(taken, [Some(5), Some(1)]);
    assert_eq!(jobs.take().now_or_never(), None);

    let worker = || tokio::spawn(work(Arc::clone(&jobs)));
    let workers = [worker(), worker(), worker()];
    yield_now().await;
    let mut order = Vec::new();
    for job in [7, 8, 9] {
        jobs.add(job);
        yield_now().await;
        let done = workers.iter().map(|worker| worker.is_finished());
        order.push(done.collect::<Vec<_>>());
    }
    println!("workers before jobs: they wake in their order");
    assert_eq!(order[0], [true, false, false]);
    assert_eq!(order[1], [true, true, false]);
    assert_eq!(order[2], [true, true, true]);
    let mut taken = Vec::new();
    for worker in workers {
        taken.push(worker.await?);
    }
    assert_eq!(taken, [7, 8, 9]);
    Ok(())
}

/// Two jobs are added after both workers have looked, and before they wait.
fn gap() {
    let jobs = Jobs::default();
    let (adds, polls) = (Cell::new(true), Cell::new(true));
    let second = RefCell::new(Box::pin(jobs.wait_for(|| {
        let job = jobs.pop();
        if adds.take() {
            jobs.add(1);
            jobs.add(2);
        }
        job
    })));
    let end = Cell::new(None);
    let first = jobs.wait_for(|| {
        let job = jobs.pop();
        if polls.take() {
            end.set((&mut *second.borrow_mut()).now_or_never());
        }
        job
    });
    let taken = (first.now_or_never(), end.get());
    println!("gap: {taken:?}");
    assert_eq!(taken, (Some(1), Some(2)));
}

/// A worker that always finds a job.
async fn cooperates() -> anyhow::Result<()> {
    let jobs = Jobs::default();
    (0..1000).for_each(|job| jobs.add(job));
    let other = tokio::spawn(async {});
    while !other.is_finished() && !jobs.is_empty() {
        jobs.take().await;
    }
    println!("many jobs: jobs are left when the other task runs");
    assert!(!jobs.is_empty());
    other.await?;
    Ok(())
}

/// A worker has been woken, and is cancelled before it runs.
async fn cancelled() -> anyhow::Result<()> {
    let jobs = Arc::new(Jobs::default());
    let first = tokio::spawn(work(Arc::clone(&jobs)));
    let second = tokio::spawn(work(Arc::clone(&jobs)));
    yield_now().await;
    jobs.add(7);
    first.abort();
    let job = second.await?;
    println!("cancelled: the next worker takes job {job}");
    assert!(first.await.is_err_and(|end| end.is_cancelled()));
    assert_eq!((job, jobs.pop()), (7, None));

    // Nobody else waits: the job stays, for the next one.
    let first = tokio::spawn(work(Arc::clone(&jobs)));
    yield_now().await;
    jobs.add(8);
    first.abort();
    assert!(first.await.is_err());
    assert_eq!(jobs.take().now_or_never(), Some(8));
    Ok(())
}
// ANCHOR_END: all
