// ANCHOR: all
// ANCHOR: keep
use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt, Shared, TryFutureExt};
use tokio::task::unconstrained;
use tokio::time::{Instant, timeout};
use tokio_util::task::AbortOnDropHandle;

/// The error of a request, the same for all its callers.
#[derive(Clone, Debug, thiserror::Error)]
#[error(transparent)]
struct Failure(Arc<anyhow::Error>);

/// A request that many callers await: its value, and when it completed.
type Flight<V> = Shared<BoxFuture<'static, Result<(V, Instant), Failure>>>;

// ANCHOR: age
/// The age of a value: zero while it is pending, none if it has failed.
fn age<V: Clone>(flight: &Flight<V>) -> Option<Duration> {
    match unconstrained(flight.clone()).now_or_never() {
        None => Some(Duration::ZERO),
        Some(Ok((_, completed))) => Some(completed.elapsed()),
        Some(Err(_)) => None,
    }
}
// ANCHOR_END: age

// ANCHOR: flights
struct SingleFlight<V> {
    flights: Mutex<HashMap<String, Flight<V>>>,
    timeout: Duration,
    time_to_live: Duration,
    capacity: usize,
}
// ANCHOR_END: flights

impl<V: Clone + Send + Sync + 'static> SingleFlight<V> {
    /// A fresh value from the map, or from one request for all callers.
    async fn get<R, F>(&self, key: &str, request: R) -> Result<V, Failure>
    where
        R: FnOnce() -> F + Send + 'static,
        F: Future<Output = anyhow::Result<V>> + Send + 'static,
    {
        let flight = {
            let flights = self.flights.lock(); // poisoned if `spawn` panics
            let mut flights = flights.unwrap_or_else(PoisonError::into_inner);
            // ANCHOR: reuse
            let known = flights.get(key).and_then(age);
            if known.is_none_or(|age| age > self.time_to_live) {
                // ANCHOR_END: reuse
                // ANCHOR: evict
                if flights.len() >= self.capacity {
                    let oldest = flights.iter().max_by_key(|(_, flight)| {
                        age(flight).unwrap_or(Duration::MAX)
                    });
                    let oldest = oldest.map(|(key, _)| key.clone());
                    oldest.and_then(|oldest| flights.remove(&oldest));
                }
                // ANCHOR_END: evict
                // ANCHOR: start
                let limit = self.timeout;
                let task = AbortOnDropHandle::new(tokio::spawn(async move {
                    // The first `?` is for the timeout, the second for `request`.
                    let value = timeout(limit, request()).await??;
                    anyhow::Ok((value, Instant::now()))
                }));
                // `?` converts a panic. The block returns the task's result.
                let flight = async { task.await? };
                let flight = flight.map_err(|error| Failure(Arc::new(error)));
                flights.insert(key.to_owned(), flight.boxed().shared());
                // ANCHOR_END: start
            }
            flights[key].clone()
        };
        // ANCHOR: shared
        let (value, _) = flight.await?;
        Ok(value)
        // ANCHOR_END: shared
    }
}
// ANCHOR_END: keep

// A carrier that is asked for quotes, and what must come of it.
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

use anyhow::{anyhow, bail};
use futures::executor::block_on;
use futures::future::join_all;
use tokio::task::{JoinError, consume_budget, coop::has_budget_remaining};
use tokio::time::{error::Elapsed, sleep};

static REQUESTS: AtomicUsize = AtomicUsize::new(0);
static COMPLETED: AtomicUsize = AtomicUsize::new(0);
const SECOND: Duration = Duration::from_secs(1);

/// A price in cents, after a time.
async fn quote(case: &str, time: Duration) -> anyhow::Result<u32> {
    REQUESTS.fetch_add(1, Relaxed);
    sleep(time).await;
    COMPLETED.fetch_add(1, Relaxed);
    match case {
        "failing" => bail!("503 Service Unavailable"),
        "panicking" => panic!("a comma in the price"),
        _ => Ok(1250),
    }
}

/// What asks for the prices, in place of an HTTP client.
#[derive(Clone)]
struct Carrier;

impl Carrier {
    async fn quote(&self, parcel: &str) -> anyhow::Result<u32> {
        quote(parcel, SECOND).await
    }
}

/// How many requests there were since the last call.
fn requests() -> usize {
    REQUESTS.swap(0, Relaxed)
}

type Quotes = Arc<SingleFlight<u32>>;

fn quotes(time_to_live: Duration, capacity: usize) -> Quotes {
    let (flights, timeout) = (Mutex::default(), 5 * SECOND);
    Arc::new(SingleFlight { flights, timeout, time_to_live, capacity })
}

async fn get(
    quotes: &Quotes,
    case: &'static str,
    time: Duration,
) -> Result<u32, Failure> {
    quotes.get(case, move || quote(case, time)).await
}

/// A number of callers that come at the same time, each in a task.
async fn get_all(
    quotes: &Quotes,
    callers: usize,
    case: &'static str,
    time: Duration,
) -> Vec<Result<u32, Failure>> {
    let callers = (0..callers).map(|_| {
        let quotes = Arc::clone(quotes);
        tokio::spawn(async move { get(&quotes, case, time).await })
    });
    let results = join_all(callers).await.into_iter();
    results.map(|result| result.expect("no panic")).collect()
}

/// A caller that gives up at once.
async fn give_up(quotes: &Quotes, case: &'static str) {
    let caller = timeout(SECOND / 10, get(quotes, case, SECOND));
    caller.await.expect_err("too slow");
}

/// The error that twenty callers share.
async fn error(quotes: &Quotes, case: &'static str, time: Duration) -> Failure {
    let results = get_all(quotes, 20, case, time).await.into_iter();
    let mut errors = results.map(|result| result.expect_err("a failure"));
    let first = errors.next().expect("twenty");
    assert!(errors.all(|error| Arc::ptr_eq(&error.0, &first.0)));
    assert_eq!(requests(), 1);
    get(quotes, case, time).await.expect_err("a failure");
    assert_eq!(requests(), 1, "it is not kept");
    first
}

async fn failures(quotes: &Quotes) {
    let failure = error(quotes, "failing", SECOND).await;
    println!("failing: 20 times {failure}, requests: 1");
    assert_eq!(failure.to_string(), "503 Service Unavailable");

    let failure = error(quotes, "panicking", SECOND).await;
    let panic = failure.0.downcast_ref::<JoinError>().expect("a panic");
    assert!(panic.is_panic());
    assert!(panic.to_string().ends_with("\"a comma in the price\""));
    println!("panicking: 20 times a JoinError, requests: 1");
    // The closure, too, runs in the task, and not while the map is locked.
    let panics = || -> BoxFuture<anyhow::Result<u32>> { panic!("no client") };
    quotes.get("no client", panics).await.expect_err("a failure");

    let start = Instant::now();
    let failure = error(quotes, "silent", 3600 * SECOND).await;
    assert!(failure.0.is::<Elapsed>());
    assert_eq!(start.elapsed(), 10 * SECOND, "five for each request");
    println!("silent: 20 times {failure}, requests: 1");

    // `?` converts a failure, which has the message and the source of its
    // error.
    let convert = || -> anyhow::Result<()> { Err(failure)? };
    assert!(convert().expect_err("a failure").is::<Failure>());
    let error = anyhow!("503 Service Unavailable").context("no quote");
    let failure = anyhow::Error::new(Failure(Arc::new(error)));
    assert_eq!(format!("{failure:#}"), "no quote: 503 Service Unavailable");
}

async fn callers_that_give_up(quotes: &Quotes) -> anyhow::Result<()> {
    // ANCHOR: given_up
    let first = get(quotes, "given up", SECOND);
    let first = timeout(Duration::from_millis(100), first);
    let second = get(quotes, "given up", SECOND);
    let (first, second) = tokio::join!(first, second);
    // ANCHOR_END: given_up
    assert!(first.is_err());
    assert_eq!(second?, 1250);
    println!("given up: requests: {}", REQUESTS.load(Relaxed));
    assert_eq!(requests(), 1);

    // No caller is left, and the request completes.
    give_up(quotes, "all gave up").await;
    sleep(60 * SECOND).await;
    assert_eq!(get(quotes, "all gave up", SECOND).await?, 1250);
    println!("all gave up: requests: {}", REQUESTS.load(Relaxed));
    assert_eq!(requests(), 1);
    give_up(quotes, "old").await;
    sleep(62 * SECOND).await;
    get(quotes, "old", SECOND).await?;
    assert_eq!(requests(), 2, "its age counts from its completion");

    // The same by a task that has used up its budget and must yield soon.
    give_up(quotes, "busy").await;
    sleep(62 * SECOND).await;
    while has_budget_remaining() {
        consume_budget().now_or_never();
    }
    get(quotes, "busy", SECOND).await?;
    assert_eq!(requests(), 2);
    Ok(())
}

async fn full_maps() -> anyhow::Result<()> {
    let quotes = self::quotes(60 * SECOND, 3);
    get(&quotes, "1", SECOND).await?;
    get(&quotes, "failing", SECOND).await.expect_err("a failure");
    get(&quotes, "2", SECOND).await?;
    get(&quotes, "3", SECOND).await?;
    assert_eq!(requests(), 4);
    for case in ["1", "2", "3"] {
        get(&quotes, case, SECOND).await?;
    }
    assert_eq!(requests(), 0, "the failure was removed");

    give_up(&quotes, "pending").await;
    get(&quotes, "4", SECOND / 2).await?;
    assert_eq!(requests(), 2);
    for case in ["3", "4", "pending"] {
        get(&quotes, case, SECOND).await?;
    }
    assert_eq!(requests(), 0, "the two oldest were removed");
    assert_eq!(quotes.flights.lock().expect("no panic").len(), 3);
    println!("full: 3 values kept");

    // No caller is left, and the map is full: the request is cancelled.
    let quotes = self::quotes(60 * SECOND, 1);
    COMPLETED.store(0, Relaxed);
    for case in ["1", "2", "3"] {
        give_up(&quotes, case).await;
    }
    sleep(SECOND).await;
    println!("removed: requests: {}, completed: {COMPLETED:?}", requests());
    assert_eq!(COMPLETED.load(Relaxed), 1);
    // Callers that still wait have their values. A caller that comes after the
    // removal sends a second request.
    let callers = ["4", "5", "4"].map(|case| get(&quotes, case, SECOND));
    let prices = join_all(callers).await;
    assert!(prices.iter().all(|price| matches!(price, Ok(1250))));
    println!("removed, with callers: requests: {}", REQUESTS.load(Relaxed));
    assert_eq!(requests(), 3);
    Ok(())
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let carrier = Carrier;
    // ANCHOR: call
    let quotes = Arc::new(SingleFlight {
        flights: Mutex::default(),
        timeout: Duration::from_secs(5),
        time_to_live: Duration::from_secs(60),
        capacity: 100,
    });
    let client = carrier.clone(); // cheap, also for a `reqwest::Client`
    let request = move || async move { client.quote("parcel 7").await };
    let price = quotes.get("parcel 7", request).await?;
    // ANCHOR_END: call
    assert_eq!((price, requests()), (1250, 1));

    let start = Instant::now();
    let results = get_all(&quotes, 10_000, "at once", SECOND).await;
    assert!(results.iter().all(|result| matches!(result, Ok(1250))));
    assert_eq!((start.elapsed(), REQUESTS.load(Relaxed)), (SECOND, 1));
    println!("at once: {} values, requests: {}", results.len(), requests());

    sleep(60 * SECOND).await;
    get(&quotes, "at once", SECOND).await?;
    println!("after 60 s: requests: {}", REQUESTS.load(Relaxed));
    assert_eq!(requests(), 0);
    sleep(SECOND / 10).await;
    get(&quotes, "at once", SECOND).await?;
    println!("later: requests: {}", REQUESTS.load(Relaxed));
    assert_eq!(requests(), 1);

    // The request takes longer than a value is kept.
    for time_to_live in [SECOND / 10, Duration::ZERO] {
        let quotes = &self::quotes(time_to_live, 100);
        let callers = (0..10).map(async |number| {
            sleep(number * SECOND / 5).await;
            get(quotes, "slow", 4 * SECOND).await
        });
        let results = join_all(callers).await;
        assert!(results.iter().all(|result| matches!(result, Ok(1250))));
        assert_eq!(requests(), 1);
    }
    println!("slow: 10 values, requests: 1");

    // `get` panics without a runtime. The map is still usable.
    let shared = Arc::clone(&quotes);
    let call = move || block_on(get(&shared, "no runtime", SECOND));
    thread::spawn(call).join().expect_err("a panic");
    get(&quotes, "no runtime", SECOND).await?;
    println!("no runtime: a panic, then requests: {}", requests());

    failures(&quotes).await;
    callers_that_give_up(&quotes).await?;
    full_maps().await
}
// ANCHOR_END: all
