// ANCHOR: all
// ANCHOR: keep
use std::future::Future;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};
use moka::future::Cache;
use tokio::time;

/// The error of a call, the same for all that wait for it.
#[derive(Clone, Debug, thiserror::Error)]
#[error(transparent)]
struct Failure(Arc<anyhow::Error>);

/// What `Memo` calls for a key.
type Function<K, V> =
    dyn Fn(K) -> BoxFuture<'static, anyhow::Result<V>> + Send + Sync;

// ANCHOR: memo
/// An async function whose values are kept.
struct Memo<K, V> {
    cache: Cache<K, V>,
    function: Arc<Function<K, V>>,
}
// ANCHOR_END: memo

impl<K, V> Memo<K, V>
where
    // ANCHOR: key
    K: Hash + Eq + Clone + Send + Sync + 'static,
    // ANCHOR_END: key
    V: Clone + Send + Sync + 'static,
{
    fn new<F: Future<Output = anyhow::Result<V>> + Send + 'static>(
        function: impl Fn(K) -> F + Send + Sync + 'static,
        timeout: Duration,
        capacity: u64,
        time_to_live: Duration,
    ) -> Self {
        let cache = Cache::builder()
            // ANCHOR: capacity
            .max_capacity(capacity)
            // ANCHOR_END: capacity
            // ANCHOR: time_to_live
            .time_to_live(time_to_live)
            // ANCHOR_END: time_to_live
            .build();
        let function = move |key| {
            let call = time::timeout(timeout, function(key));
            async { call.await? }.boxed()
        };
        Memo { cache, function: Arc::new(function) }
    }

    /// The value from the cache, or from one call for all that wait for it.
    async fn get(&self, key: &K) -> Result<V, Failure> {
        if let Some(value) = self.cache.get(key).await {
            return Ok(value);
        }
        // ANCHOR: call_once
        let (cache, function) = (self.cache.clone(), self.function.clone());
        let (key, input, expired) = (key.clone(), key.clone(), cache.clone());
        let call = async move {
            // moka renews the age of an expired value before it replaces it.
            expired.invalidate(&input).await;
            function(input).await
        };
        // A panic ends only this task, and becomes an error of the call.
        let call = async { tokio::spawn(call).await? };
        let get = async move { cache.try_get_with(key, call).await };
        // ANCHOR_END: call_once
        // ANCHOR: get
        // This task goes on if the caller is dropped.
        let result = tokio::spawn(get).await;
        // It fails only if the runtime ends.
        result.unwrap_or_else(|end| Err(Arc::new(end.into()))).map_err(Failure)
        // ANCHOR_END: get
    }
}
// ANCHOR_END: keep

// A carrier that is asked for the prices of chilled parcels.
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

use futures::future::join_all;
use futures::poll;
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;
use tokio::task::{JoinError, spawn_blocking};
use tokio::time::{error::Elapsed, sleep};

static REQUESTS: AtomicUsize = AtomicUsize::new(0);
/// The carrier takes a permit before it answers for a parcel of less than 5 kg.
static GATE: Semaphore = Semaphore::const_new(0);
const MS: Duration = Duration::from_millis(1);
const MINUTE: Duration = Duration::from_secs(60);

/// The temperature of a parcel, and its weight.
type Parcel = (i32, u32);

/// The carrier's price in cents.
async fn quote((degrees, weight): Parcel) -> anyhow::Result<u32> {
    REQUESTS.fetch_add(1, Relaxed);
    match weight {
        0..5 => GATE.acquire().await?.forget(),
        _ => sleep(100 * MS).await, // all callers come meanwhile
    }
    assert_ne!(weight, 13, "a comma in the weight");
    anyhow::ensure!(weight < 41, "{weight} kg are too heavy");
    Ok(500 + 90 * weight + 25 * degrees.unsigned_abs())
}

/// How many requests there were since the last call.
fn requests() -> usize {
    REQUESTS.swap(0, Relaxed)
}

type Quotes = Memo<Parcel, u32>;

/// The error of each of 20 callers that come at once, and of one that comes
/// later.
async fn failures(quotes: &Quotes, parcel: Parcel) -> Failure {
    let callers = (0..20).map(|_| quotes.get(&parcel));
    let results = join_all(callers).await;
    assert!(results.iter().all(Result::is_err));
    assert_eq!(requests(), 1);
    let later = quotes.get(&parcel).await;
    assert_eq!(requests(), 1, "a failure is not kept");
    later.expect_err("a failure")
}

/// A caller that is dropped when its request has begun.
async fn give_up(quotes: &Quotes, parcel: Parcel) {
    let mut caller = Box::pin(quotes.get(&parcel));
    while REQUESTS.load(Relaxed) == 0 {
        assert!(poll!(&mut caller).is_pending());
        tokio::task::yield_now().await;
    }
}

/// The runtime ends while a caller waits on a thread of its own.
fn the_runtime_ends() -> Failure {
    let runtime = Runtime::new().expect("a runtime");
    let handle = runtime.handle().clone();
    let caller = thread::spawn(move || {
        let quotes = Memo::new(quote, MINUTE, 100, MINUTE);
        handle.block_on(quotes.get(&(4, 4)))
    });
    while REQUESTS.load(Relaxed) == 0 {
        thread::sleep(MS);
    }
    runtime.shutdown_background();
    caller.join().expect("no panic").expect_err("no answer")
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: call
    let (timeout, minute) = (Duration::from_secs(5), Duration::from_secs(60));
    let quotes: Memo<Parcel, u32> = Memo::new(quote, timeout, 100, minute);
    let price = quotes.get(&(-18, 5)).await?;
    // ANCHOR_END: call
    assert_eq!((price, requests()), (1400, 1));
    let quotes = Memo::new(quote, MINUTE, 100, MINUTE);

    let callers = (0..10_000).map(|_| quotes.get(&(4, 5)));
    let prices = join_all(callers).await;
    assert!(prices.iter().all(|price| matches!(price, Ok(1050))));
    println!("at once: {} values, requests: {}", prices.len(), requests());
    let hit = thread::scope(|scope| {
        let hit = || futures::executor::block_on(quotes.get(&(4, 5)));
        scope.spawn(hit).join().expect("without a task: it needs no runtime")
    });
    assert!(matches!(hit, Ok(1050)));
    println!("known: requests: {}", REQUESTS.load(Relaxed));
    assert_eq!(requests(), 0);

    // Each call has a key of its own, and each function a cache.
    assert_eq!(quotes.get(&(-1, 5)).await?, 975);
    assert_eq!(quotes.get(&(-2, 5)).await?, 1000);
    let days = Memo::new(async |_: Parcel| Ok(3), MINUTE, 100, MINUTE);
    assert_eq!(days.get(&(-1, 5)).await?, 3);
    println!("other keys: requests: {}", REQUESTS.load(Relaxed));
    assert_eq!(requests(), 2);

    let short = Memo::new(quote, MINUTE, 100, 50 * MS);
    short.get(&(4, 5)).await?;
    sleep(51 * MS).await;
    short.get(&(4, 5)).await?;
    println!("expired: requests: {}", REQUESTS.load(Relaxed));
    assert_eq!(requests(), 2);

    // The request takes longer than a value is kept.
    let mut callers = Vec::new();
    for _ in 0..10 {
        let mut caller = Box::pin(short.get(&(4, 1)));
        assert!(poll!(&mut caller).is_pending());
        callers.push(caller);
        sleep(10 * MS).await;
    }
    GATE.add_permits(1);
    let prices = join_all(callers).await;
    assert!(prices.iter().all(|price| matches!(price, Ok(690))));
    println!(
        "slow: {} values, requests: {}",
        prices.len(),
        REQUESTS.load(Relaxed)
    );
    assert_eq!(requests(), 1);

    let failure = failures(&quotes, (4, 41)).await;
    println!("failing: {failure}");
    // `?` passes it on.
    let pass = || -> anyhow::Result<()> { Err(failure)? };
    assert!(pass().expect_err("a failure").is::<Failure>());
    let failure = failures(&quotes, (4, 13)).await;
    let error = failure.0.downcast_ref::<JoinError>();
    assert!(error.is_some_and(JoinError::is_panic));
    println!("panicking: a JoinError");
    let impatient = Memo::new(quote, 50 * MS, 100, MINUTE);
    let failure = failures(&impatient, (4, 0)).await;
    assert!(failure.0.is::<Elapsed>());
    println!("silent: {failure}");

    give_up(&quotes, (4, 2)).await;
    let second = quotes.get(&(4, 2));
    GATE.add_permits(1);
    assert_eq!(second.await?, 780);
    println!("given up: requests: {}", REQUESTS.load(Relaxed));
    assert_eq!(requests(), 1);
    give_up(&quotes, (4, 3)).await;
    GATE.add_permits(1);
    while quotes.cache.get(&(4, 3)).await.is_none() {
        sleep(MS).await;
    }
    assert_eq!(quotes.get(&(4, 3)).await?, 870);
    println!("all gave up: requests: {}", REQUESTS.load(Relaxed));
    assert_eq!(requests(), 1);

    let failure = spawn_blocking(the_runtime_ends).await?;
    let error = failure.0.downcast_ref::<JoinError>();
    assert!(error.is_some_and(JoinError::is_cancelled));
    println!("the runtime ends: a JoinError, requests: {}", requests());

    let callers = (0..1_000).map(async |degrees| {
        quotes.get(&(degrees, 6)).await.map_err(anyhow::Error::from)
    });
    futures::future::try_join_all(callers).await?;
    assert_eq!(requests(), 1_000);
    quotes.cache.run_pending_tasks().await;
    assert!(quotes.cache.entry_count() <= 100);
    println!("full: at most 100 of 1000 values are kept");
    Ok(())
}
// ANCHOR_END: all
