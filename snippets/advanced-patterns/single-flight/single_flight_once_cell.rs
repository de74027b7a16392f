// ANCHOR: all
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::OnceCell;
use tokio::time::{Instant, sleep};

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    static REQUESTS: AtomicU32 = AtomicU32::new(0);
    let bank_that_is_down = || async {
        REQUESTS.fetch_add(1, Relaxed);
        sleep(Duration::from_millis(50)).await;
        Err("the bank is down")
    };

    let rate = OnceCell::<f64>::new();
    let start = Instant::now();
    let askers = (0..20).map(|_| rate.get_or_try_init(bank_that_is_down));
    let answers = join_all(askers).await;

    assert!(answers.iter().all(|answer| answer.is_err()));
    println!("{REQUESTS:?} requests in {:?}", start.elapsed());
    // Each waiter asks again when its turn comes.
    assert_eq!(REQUESTS.load(Relaxed), 20);
    assert_eq!(start.elapsed(), Duration::from_secs(1));
}
// ANCHOR_END: all
