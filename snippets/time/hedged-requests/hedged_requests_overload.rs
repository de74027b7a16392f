// ANCHOR: all
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::{join, join_all, select};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::task::TaskTracker;

const SECOND: Duration = Duration::from_secs(1);
const DELAY: Duration = Duration::from_secs(3);

/// Handles one request at a time, also when its client has gone.
#[derive(Default)]
struct Carrier {
    lock: Arc<tokio::sync::Mutex<()>>,
    tracker: TaskTracker,
    requests: AtomicUsize,
}

impl Carrier {
    async fn track(&self) {
        self.handle(2 * SECOND).await;
    }

    async fn handle(&self, time: Duration) {
        self.requests.fetch_add(1, Relaxed);
        let lock = Arc::clone(&self.lock);
        let response = self.tracker.spawn(async move {
            let _guard = lock.lock().await;
            sleep(time).await;
        });
        response.await.expect("no panic");
    }
}

// ANCHOR: broken
async fn hedged(carrier: &Carrier) {
    let mut first = pin!(carrier.track());
    if timeout(DELAY, &mut first).await.is_err() {
        select(first, pin!(carrier.track())).await;
    }
}
// ANCHOR_END: broken

// ANCHOR: fixed
async fn hedged_within(budget: &Budget, carrier: &Carrier) {
    budget.deposit();
    let mut first = pin!(carrier.track());
    if timeout(DELAY, &mut first).await.is_ok() {
        return;
    }
    if budget.withdraw() {
        select(first, pin!(carrier.track())).await;
    } else {
        first.await;
    }
}
// ANCHOR_END: fixed

/// One second request for twenty calls, and ten at most at once.
#[derive(Default)]
struct Budget(Mutex<u32>);

impl Budget {
    fn deposit(&self) {
        let mut budget = self.0.lock().expect("no panic");
        *budget = (*budget + 1).min(200);
    }

    fn withdraw(&self) -> bool {
        let mut budget = self.0.lock().expect("no panic");
        let left = budget.checked_sub(20);
        *budget = left.unwrap_or(*budget);
        left.is_some()
    }
}

/// A call every three seconds, and in the second minute a long request. How
/// many requests that makes, and how long the last caller waits. A caller that
/// the long request delays waits for its response.
async fn half_an_hour(call: impl AsyncFn(&Carrier)) -> (usize, u64) {
    let carrier = Carrier::default();
    let calls = join_all((0..600).map(async |number| {
        sleep(number * 3 * SECOND).await;
        let start = Instant::now();
        call(&carrier).await;
        start.elapsed().as_secs()
    }));
    let long = async {
        sleep(61 * SECOND).await;
        carrier.handle(30 * SECOND).await;
    };
    let (times, ()) = join(calls, long).await;
    carrier.tracker.close();
    carrier.tracker.wait().await;
    assert!(times.iter().filter(|seconds| **seconds > 20).count() > 5);
    (carrier.requests.into_inner() - 1, times[599])
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let (requests, last) = half_an_hour(Carrier::track).await;
    println!("no hedges: {requests} requests, the last takes {last} s");
    assert_eq!((requests, last), (600, 2));

    let (requests, last) = half_an_hour(hedged).await;
    println!("no budget: {requests} requests, the last takes {last} s");
    assert!(requests > 1100 && last > 500);

    let budget = Budget::default();
    let call = async |carrier: &Carrier| hedged_within(&budget, carrier).await;
    let (requests, last) = half_an_hour(call).await;
    println!("a budget: {requests} requests, the last takes {last} s");
    assert!((601..610).contains(&requests));
    assert_eq!(last, 2);
}
// ANCHOR_END: all
