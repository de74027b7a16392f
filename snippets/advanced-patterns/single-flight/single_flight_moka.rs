// ANCHOR: all
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use futures::future::join_all;
use moka::future::Cache;
use tokio::task::{JoinError, JoinSet};
use tokio::time::error::Elapsed;
use tokio::time::{Instant, sleep, timeout};

static REQUESTS: AtomicUsize = AtomicUsize::new(0);
const MS: Duration = Duration::from_millis(1);

async fn quote(case: &str) -> Result<u32, CarrierError> {
    REQUESTS.fetch_add(1, Relaxed);
    let time = match case {
        "slow" => 700 * MS,
        "silent" => 3600 * TIMEOUT,
        "panicking" => MS,
        _ => 100 * MS,
    };
    sleep(time).await;
    match case {
        "failing" => Err(CarrierError::Unavailable),
        "panicking" => panic!("a comma in the price"),
        _ => Ok(1250),
    }
}

// ANCHOR: moka
const TIMEOUT: Duration = Duration::from_secs(1);

#[derive(Debug, thiserror::Error)]
enum CarrierError {
    #[error("503 Service Unavailable")]
    Unavailable,
    #[error("no answer in time")]
    Timeout(#[from] Elapsed),
}

/// The task is not cancelled with its caller.
async fn price(
    quotes: &Cache<&'static str, u32>,
    key: &'static str,
) -> anyhow::Result<u32> {
    if let Some(price) = quotes.get(key).await {
        return Ok(price); // without a task
    }
    let request = async move { timeout(TIMEOUT, quote(key)).await? };
    let quotes = quotes.clone();
    let get = async move { quotes.try_get_with(key, request).await };
    Ok(tokio::spawn(get).await??)
}
// ANCHOR_END: moka

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let time_to_live = 500 * MS;
    let quotes =
        Cache::builder().max_capacity(100).time_to_live(time_to_live).build();

    let first = timeout(10 * MS, price(&quotes, "given up"));
    let second = price(&quotes, "given up");
    let (first, second) = tokio::join!(first, second);
    assert!(first.is_err());
    assert_eq!(second?, 1250);
    println!("given up: requests: {}", REQUESTS.load(Relaxed));
    assert_eq!(REQUESTS.swap(0, Relaxed), 1);

    // The request takes longer than a value is kept.
    let mut callers = JoinSet::new();
    for _ in 0..10 {
        let quotes = quotes.clone();
        callers.spawn(async move { price(&quotes, "slow").await });
        sleep(60 * MS).await;
    }
    let results = callers.join_all().await;
    assert!(results.iter().all(|result| matches!(result, Ok(1250))));
    assert_eq!(price(&quotes, "slow").await?, 1250);
    println!("slow: requests: {}", REQUESTS.load(Relaxed));
    assert_eq!(REQUESTS.swap(0, Relaxed), 1);
    sleep(time_to_live).await;
    assert_eq!(price(&quotes, "slow").await?, 1250);
    assert_eq!(REQUESTS.swap(0, Relaxed), 1, "it was stale");

    let callers = (0..20).map(|_| price(&quotes, "failing"));
    for result in join_all(callers).await {
        let error = result.expect_err("a failure");
        let error = error.downcast::<Arc<CarrierError>>()?;
        assert!(matches!(*error, CarrierError::Unavailable));
    }
    println!("failing: requests: {}", REQUESTS.load(Relaxed));
    assert_eq!(REQUESTS.swap(0, Relaxed), 1);

    let start = Instant::now();
    let callers = (0..20).map(|_| price(&quotes, "silent"));
    for result in join_all(callers).await {
        let error = result.expect_err("a failure");
        let error = error.downcast::<Arc<CarrierError>>()?;
        assert!(matches!(*error, CarrierError::Timeout(_)));
    }
    assert!(start.elapsed() >= TIMEOUT);
    println!("silent: requests: {}", REQUESTS.load(Relaxed));
    assert_eq!(REQUESTS.swap(0, Relaxed), 1);

    let callers = (0..20).map(|_| price(&quotes, "panicking"));
    for result in join_all(callers).await {
        let error = result.expect_err("a failure");
        let panic = error.downcast::<JoinError>().expect("a panic");
        assert!(panic.is_panic());
    }
    println!("panicking: requests: {}", REQUESTS.load(Relaxed));
    assert_eq!(REQUESTS.swap(0, Relaxed), 20, "each caller sends it again");
    Ok(())
}
// ANCHOR_END: all
