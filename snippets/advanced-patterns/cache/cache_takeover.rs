// ANCHOR: all
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use moka::future::Cache;
use tokio::time::{Instant, sleep, timeout};

static QUOTES: AtomicU32 = AtomicU32::new(0);

async fn quote(weight: u32) -> Result<u32, String> {
    QUOTES.fetch_add(1, Relaxed);
    sleep(Duration::from_millis(50)).await;
    Ok(500 + 90 * weight)
}

async fn jammed() -> Result<u32, String> {
    QUOTES.fetch_add(1, Relaxed);
    sleep(Duration::from_millis(50)).await;
    panic!("the scales are jammed")
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let cache = Cache::new(100);

    // ANCHOR: cancelled
    // The first one leaves after 10 ms; the second starts over.
    let start = Instant::now();
    let first = cache.try_get_with("lamp", quote(5));
    let first = timeout(Duration::from_millis(10), first);
    let second = cache.try_get_with("lamp", quote(5));
    let (first, second) = tokio::join!(first, second);
    assert!(first.is_err());
    assert_eq!(second, Ok(950));
    assert_eq!(QUOTES.swap(0, Relaxed), 2);
    println!("first cancelled: second answered in {:?}", start.elapsed());
    assert_eq!(start.elapsed(), Duration::from_millis(60));
    // ANCHOR_END: cancelled

    // ANCHOR: panicked
    // The first one panics; the second starts over.
    let start = Instant::now();
    let shared = cache.clone();
    let first = async move { shared.try_get_with("sofa", jammed()).await };
    let first = tokio::spawn(first);
    let shared = cache.clone();
    let second = async move { shared.try_get_with("sofa", quote(60)).await };
    let second = tokio::spawn(second);
    assert!(first.await.unwrap_err().is_panic());
    assert_eq!(second.await?, Ok(5900));
    assert_eq!(QUOTES.swap(0, Relaxed), 2);
    println!("first panicked: second answered in {:?}", start.elapsed());
    assert_eq!(start.elapsed(), Duration::from_millis(100));
    // ANCHOR_END: panicked
    Ok(())
}
// ANCHOR_END: all
