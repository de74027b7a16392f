// ANCHOR: all
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use moka::future::Cache;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

static REQUESTS: AtomicUsize = AtomicUsize::new(0);
const MS: Duration = Duration::from_millis(1);

async fn quote() -> anyhow::Result<u32> {
    REQUESTS.fetch_add(1, Relaxed);
    sleep(50 * MS).await;
    Ok(1250)
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let quotes = Cache::new(100);
    // ANCHOR: cancelled
    // ANCHOR: broken
    let first = timeout(10 * MS, quotes.try_get_with(7, quote()));
    let second = quotes.try_get_with(7, quote());
    let (first, second) = tokio::join!(first, second);
    // ANCHOR_END: broken
    // ANCHOR_END: cancelled
    assert!(first.is_err());
    assert!(matches!(second, Ok(1250)));
    println!("the caller awaits the request: {REQUESTS:?} requests");
    assert_eq!(REQUESTS.swap(0, Relaxed), 2);

    // Each of 300 callers of a silent carrier gives up in its turn.
    let mut callers = JoinSet::new();
    for number in 1..=300 {
        let quotes = quotes.clone();
        let silent = sleep(Duration::from_secs(3_600));
        let silent = async {
            anyhow::Ok({
                silent.await;
                1250
            })
        };
        let get = async move { quotes.try_get_with(8, silent).await };
        callers.spawn(timeout(number * MS, get));
    }
    let (mut gave_up, mut panicked) = (0, 0);
    while let Some(result) = callers.join_next().await {
        match result {
            Ok(result) => gave_up += usize::from(result.is_err()),
            Err(error) => panicked += usize::from(error.is_panic()),
        }
    }
    println!("300 callers: {gave_up} gave up, {panicked} panicked");
    assert_eq!((gave_up, panicked), (200, 100));

    let quotes = Cache::new(100);
    let shared = quotes.clone();
    // ANCHOR: fixed
    let get = async move { shared.try_get_with(7, quote()).await };
    let first = timeout(10 * MS, tokio::spawn(get));
    // ANCHOR_END: fixed
    let second = quotes.try_get_with(7, quote());
    let (first, second) = tokio::join!(first, second);
    assert!(first.is_err());
    assert!(matches!(second, Ok(1250)));
    println!("a task awaits the request: {REQUESTS:?} request");
    assert_eq!(REQUESTS.load(Relaxed), 1);
    Ok(())
}
// ANCHOR_END: all
