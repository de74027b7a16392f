// ANCHOR: all
use std::future::Future;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use futures::future::join_all;
use moka::future::Cache;
use tokio::time::sleep;

// ANCHOR: memo
// ANCHOR: known
struct Memo<K, V, F> {
    cache: Cache<K, V>,
    function: F,
}
// ANCHOR_END: known

impl<K, V, E, F, Computing> Memo<K, V, F>
where
    // ANCHOR: key
    K: Hash + Eq + Clone + Send + Sync + 'static,
    // ANCHOR_END: key
    V: Clone + Send + Sync + 'static,
    E: Send + Sync + 'static,
    F: Fn(K) -> Computing,
    Computing: Future<Output = Result<V, E>>,
{
    fn new(function: F, capacity: u64, time_to_live: Duration) -> Self {
        let cache = Cache::builder()
            // ANCHOR: capacity
            .max_capacity(capacity)
            // ANCHOR_END: capacity
            // ANCHOR: time_to_live
            .time_to_live(time_to_live)
            // ANCHOR_END: time_to_live
            .build();
        Self { cache, function }
    }

    async fn get(&self, key: &K) -> Result<V, Arc<E>> {
        // ANCHOR: compute
        let compute = async { (self.function)(key.clone()).await };
        // ANCHOR_END: compute
        // ANCHOR: get
        self.cache.try_get_with_by_ref(key, compute).await
        // ANCHOR_END: get
    }
}
// ANCHOR_END: memo

static QUOTES: AtomicU32 = AtomicU32::new(0);
const MINUTE: Duration = Duration::from_secs(60);

/// The carrier's price, in cents, for so many kilograms to that floor.
async fn quote((floor, weight): (i32, u32)) -> Result<u32, String> {
    QUOTES.fetch_add(1, Relaxed);
    sleep(Duration::from_millis(50)).await;
    if weight > 40 {
        return Err(format!("{weight} kg is too heavy"));
    }
    Ok(500 + 90 * weight + 25 * floor.unsigned_abs())
}

async fn days((floor, _): (i32, u32)) -> Result<u32, String> {
    Ok(if floor > 10 { 3 } else { 2 })
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let quotes = Memo::new(quote, 100, MINUTE);
    let askers = (0..10_000).map(|_| quotes.get(&(3, 5)));
    assert_eq!(join_all(askers).await, vec![Ok(1025); 10_000]);
    assert_eq!(QUOTES.swap(0, Relaxed), 1);
    println!("10000 answers from one quote");

    let heavy = (0..20).map(|_| quotes.get(&(3, 50)));
    let error = Arc::new("50 kg is too heavy".to_string());
    assert_eq!(join_all(heavy).await, vec![Err(error); 20]);
    assert_eq!(QUOTES.swap(0, Relaxed), 1);
    assert!(quotes.get(&(3, 50)).await.is_err());
    assert_eq!(QUOTES.swap(0, Relaxed), 1, "asked again");
    println!("20 failures from one quote, not kept");

    // ANCHOR: keys
    assert_eq!(quotes.get(&(-1, 5)).await, Ok(975));
    assert_eq!(quotes.get(&(-2, 5)).await, Ok(1000));
    let days = Memo::new(days, 100, MINUTE);
    assert_eq!(days.get(&(-1, 5)).await, Ok(2));
    // ANCHOR_END: keys

    for floor in 0..1_000 {
        quotes.get(&(floor, 1)).await.expect("light enough");
    }
    quotes.cache.run_pending_tasks().await;
    assert!(quotes.cache.entry_count() <= 100);
    println!("1000 floors asked for, no more than 100 kept");

    // ANCHOR: expiry
    assert_eq!(QUOTES.swap(0, Relaxed), 1_002);
    let stale_at_once = Memo::new(quote, 100, Duration::ZERO);
    for (memo, expected) in [(&quotes, 1), (&stale_at_once, 2)] {
        memo.get(&(5, 5)).await.expect("light enough");
        sleep(10 * MINUTE).await; // tokio's clock: moka does not see it
        memo.get(&(5, 5)).await.expect("light enough");
        assert_eq!(QUOTES.swap(0, Relaxed), expected);
    }
    // ANCHOR_END: expiry
}
// ANCHOR_END: all
