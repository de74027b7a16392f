// ANCHOR: all
// ANCHOR: keep
use std::future::Future;
use std::time::Duration;

use backon::{Backoff, BackoffBuilder, ExponentialBuilder, Retryable};
use tokio::time::Instant;
use tower::retry::budget::{Budget, TpsBudget};

// ANCHOR: budget
/// Lends one retry for five successes of the last ten seconds.
fn retry_budget() -> TpsBudget {
    TpsBudget::new(Duration::from_secs(10), 0, 0.2)
}
// ANCHOR_END: budget

/// Full jitter: up to 1 s, 2 s and 4 s.
fn full_jitter() -> impl Backoff {
    let backoff = ExponentialBuilder::new().with_max_times(3);
    backoff.build().map(|wait| wait.mul_f64(fastrand::f64()))
}

// ANCHOR: retry
/// Retries transient errors until the deadline, while the budget lends.
async fn retry_within<T, E, F>(
    budget: &impl Budget,
    deadline: Instant,
    is_transient: impl FnMut(&E) -> bool,
    attempt: impl FnMut() -> F,
) -> Result<T, E>
where
    F: Future<Output = Result<T, E>>,
{
    let adjust = |_: &E, wait: Option<Duration>| {
        let wait = wait?;
        let in_time = Instant::now() + wait < deadline;
        (in_time && budget.withdraw()).then_some(wait)
    };
    let retries = attempt.retry(full_jitter()).when(is_transient);
    let result = retries.adjust(adjust).await;
    if result.is_ok() {
        budget.deposit();
    }
    result
}
// ANCHOR_END: retry
// ANCHOR_END: keep

// A carrier with an outage, and what the retries make of it.
use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use futures::future::join_all;
use tokio::time::{sleep, sleep_until, timeout, timeout_at};

const SECOND: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Error {
    Reset,
    Timeout,
    Unknown,
}

fn is_transient(error: &Error) -> bool {
    *error != Error::Unknown
}

/// Answers ten requests a second, in their order. It works on those whose
/// client has given up, too: it cannot know.
struct Carrier {
    start: Instant,
    free: Cell<Instant>,
    /// In each ten seconds.
    requests: RefCell<[u32; 6]>,
    answered: RefCell<[u32; 6]>,
}

impl Carrier {
    fn new() -> Self {
        let start = Instant::now();
        let (requests, answered) = Default::default();
        Carrier { start, free: Cell::new(start), requests, answered }
    }

    async fn track(&self) -> Result<&'static str, Error> {
        let ten_seconds = self.start.elapsed().as_secs() as usize / 10;
        self.requests.borrow_mut()[ten_seconds] += 1;
        if self.requests.borrow().iter().sum::<u32>() % 10 == 0 {
            return Err(Error::Reset);
        }
        let mut begin = self.free.get().max(Instant::now());
        let outage = self.start + 10 * SECOND..self.start + 15 * SECOND;
        if outage.contains(&begin) {
            begin = outage.end;
        }
        self.free.set(begin + SECOND / 10);
        let answer = timeout(SECOND, sleep_until(self.free.get())).await;
        answer.map_err(|_| Error::Timeout)?;
        self.answered.borrow_mut()[ten_seconds] += 1;
        Ok("in transit")
    }
}

/// Tracks five parcels a second, for a minute. In the seconds 10 to 15 the
/// carrier answers nothing.
async fn minute(budget: &impl Budget) -> [[u32; 6]; 2] {
    let carrier = Carrier::new();
    let end = carrier.start + 60 * SECOND - SECOND / 100;
    let call = async |number: u32| {
        sleep(number * SECOND / 5).await;
        let deadline = Instant::now() + 20 * SECOND;
        let track = || carrier.track();
        let tracked = retry_within(budget, deadline, is_transient, track);
        tracked.await.is_ok()
    };
    let calls = join_all((0..300).map(call));
    let _ = timeout_at(end, calls).await;
    [carrier.requests.into_inner(), carrier.answered.into_inner()]
}

struct NoLimit;

impl Budget for NoLimit {
    fn deposit(&self) {}
    fn withdraw(&self) -> bool {
        true
    }
}

/// An attempt that fails some times: the result, and how often it was made.
async fn failing(
    budget: &Arc<TpsBudget>,
    left: Duration,
    error: Error,
    failures: u32,
) -> (Result<(), Error>, u32) {
    let (budget, deadline) = (Arc::clone(budget), Instant::now() + left);
    let attempts = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&attempts);
    let attempt = move || {
        let is_failure = counter.fetch_add(1, Ordering::Relaxed) < failures;
        async move { if is_failure { Err(error) } else { Ok(()) } }
    };
    let task = tokio::spawn(async move {
        retry_within(&*budget, deadline, is_transient, attempt).await
    });
    (task.await.expect("no panic"), attempts.load(Ordering::Relaxed))
}

async fn cases() {
    let [none, long] = [Duration::ZERO, 20 * SECOND];
    let failed = |error, attempts| (Err(error), attempts);

    // Empty until five calls have succeeded.
    let budget = Arc::new(retry_budget());
    for _ in 0..5 {
        let result = failing(&budget, long, Error::Reset, 1).await;
        assert_eq!(result, failed(Error::Reset, 1));
        assert_eq!(failing(&budget, none, Error::Reset, 0).await, (Ok(()), 1));
    }
    println!("an empty budget: Err(Reset), attempts: 1");
    let result = failing(&budget, long, Error::Reset, 1).await;
    println!("after five successes: {:?}, attempts: {}", result.0, result.1);
    assert_eq!(result, (Ok(()), 2));

    // Four attempts, with waits of up to 1 s, 2 s and 4 s.
    let lend = |budget: &TpsBudget| (0..5).for_each(|_| budget.deposit());
    let (mut longest, mut sum) = (none, none);
    for _ in 0..200 {
        let budget = Arc::new(retry_budget());
        (0..5).for_each(|_| lend(&budget));
        let start = Instant::now();
        let result = failing(&budget, long, Error::Timeout, 100).await;
        assert_eq!(result, failed(Error::Timeout, 4));
        let left = (0..5).filter(|_| budget.withdraw()).count();
        assert_eq!(left, 2, "three of five retries were lent");
        longest = longest.max(start.elapsed());
        sum += start.elapsed();
        assert!(start.elapsed() < 7 * SECOND);
    }
    assert!(longest > 5 * SECOND);
    assert!((3 * SECOND..4 * SECOND).contains(&(sum / 200)), "{sum:?}");

    // No wait ends after the deadline.
    for _ in 0..20 {
        let budget = Arc::new(retry_budget());
        lend(&budget);
        let start = Instant::now();
        let result = failing(&budget, SECOND / 2, Error::Reset, 100).await;
        assert!(result.0.is_err());
        assert!(start.elapsed() < SECOND / 2);
    }

    // Neither a permanent error nor a wait that is too long costs a retry.
    let budget = Arc::new(retry_budget());
    lend(&budget);
    let result = failing(&budget, long, Error::Unknown, 1).await;
    println!("permanent: {:?}, attempts: {}", result.0, result.1);
    assert_eq!(result, failed(Error::Unknown, 1));
    let result = failing(&budget, none, Error::Reset, 1).await;
    println!("no time left: {:?}, attempts: {}", result.0, result.1);
    assert_eq!(result, failed(Error::Reset, 1));
    assert!(budget.withdraw());

    // Cancelled in a wait.
    lend(&budget);
    let attempts = Cell::new(0);
    let attempt = async || {
        attempts.set(attempts.get() + 1);
        Err::<(), _>(Error::Reset)
    };
    let deadline = Instant::now() + long;
    let tracked = retry_within(&*budget, deadline, is_transient, attempt);
    assert!(timeout(none, tracked).await.is_err());
    sleep(SECOND).await;
    assert_eq!(attempts.get(), 1);
    println!("cancelled: the retry that was lent is lost");
    assert!(!budget.withdraw());

    // What is not used in ten seconds is lost.
    lend(&budget);
    sleep(12 * SECOND).await;
    assert!(!budget.withdraw());

    // One retry a second without a success: ten in ten seconds.
    let budget = TpsBudget::new(10 * SECOND, 1, 0.2);
    assert_eq!((0..60).filter(|_| budget.withdraw()).count(), 10);
    // More than a half counts as one retry for each success.
    let budget = TpsBudget::new(10 * SECOND, 0, 0.6);
    (0..10).for_each(|_| budget.deposit());
    assert_eq!((0..60).filter(|_| budget.withdraw()).count(), 10);
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<(), Error> {
    fastrand::seed(7);
    // ANCHOR: call
    let budget = retry_budget(); // one for each service that you call
    let carrier = Carrier::new();
    let deadline = Instant::now() + Duration::from_secs(20);
    let track = || carrier.track();
    let status = retry_within(&budget, deadline, is_transient, track).await?;
    // ANCHOR_END: call
    assert_eq!(status, "in transit");

    let [requests, answered] = minute(&TpsBudget::new(SECOND, 0, 0.0)).await;
    println!("no retries: {requests:?} requests\n  answered: {answered:?}");
    assert_eq!(answered, [45, 10, 45, 45, 45, 45]);

    let [requests, answered] = minute(&NoLimit).await;
    println!("no limit:   {requests:?} requests\n  answered: {answered:?}");
    assert_eq!(answered, [50, 0, 0, 0, 0, 0]);

    let [requests, answered] = minute(&retry_budget()).await;
    println!("a budget:   {requests:?} requests\n  answered: {answered:?}");
    assert!(requests.iter().all(|requests| *requests <= 60));
    assert!(answered[2..].iter().all(|answered| *answered >= 47));

    cases().await;
    Ok(())
}
// ANCHOR_END: all
