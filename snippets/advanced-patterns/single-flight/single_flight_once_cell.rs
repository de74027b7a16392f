// ANCHOR: all
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::OnceCell;
use tokio::time::{Instant, sleep};

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    static REQUESTS: AtomicU32 = AtomicU32::new(0);
    let carrier = || async {
        REQUESTS.fetch_add(1, Relaxed);
        sleep(Duration::from_millis(50)).await;
        Err("503 Service Unavailable")
    };
    let start = Instant::now();

    // ANCHOR: broken
    let price = OnceCell::<u32>::new();
    let callers = (0..20).map(|_| price.get_or_try_init(carrier));
    let results = join_all(callers).await;
    // ANCHOR_END: broken

    assert!(results.iter().all(|result| result.is_err()));
    println!("{REQUESTS:?} requests in {:?}", start.elapsed());
    assert_eq!(REQUESTS.load(Relaxed), 20);
    assert_eq!(start.elapsed(), Duration::from_secs(1));
}
// ANCHOR_END: all
