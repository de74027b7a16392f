// ANCHOR: all
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::{join, join_all, select};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::task::TaskTracker;

const SECOND: Duration = Duration::from_secs(1);

/// One clerk, who does not notice that somebody has hung up.
struct Wholesaler {
    clerk: Arc<Semaphore>,
    work: TaskTracker,
    calls: AtomicUsize,
}

impl Wholesaler {
    async fn ask(&self, takes: Duration) {
        self.calls.fetch_add(1, Relaxed);
        let clerk = self.clerk.clone();
        let answer = self.work.spawn(async move {
            let _clerk = clerk.acquire_owned().await.expect("never closed");
            sleep(takes).await;
        });
        answer.await.expect("no panic");
    }
}

// ANCHOR: budget
/// A budget of hedges: each call saves one, up to thirty, and a hedge costs ten.
struct Budget {
    saved: Mutex<u32>,
    cost: u32,
}

impl Budget {
    async fn hedged(&self, shop: &Wholesaler) {
        let mut first = pin!(shop.ask(2 * SECOND));
        let in_time = timeout(3 * SECOND, &mut first).await.is_ok();
        if self.spend(in_time) {
            select(first, pin!(shop.ask(2 * SECOND))).await;
        } else if !in_time {
            first.await;
        }
    }

    fn spend(&self, in_time: bool) -> bool {
        let mut saved = self.saved.lock().expect("never poisoned");
        *saved = 30.min(*saved + 1);
        let spends = !in_time && *saved >= self.cost;
        *saved -= if spends { self.cost } else { 0 };
        spends
    }
}
// ANCHOR_END: budget

/// A customer every three seconds, and in the second minute a large order.
/// How many calls that makes, and how long the last customer waits.
async fn half_an_hour(cost: u32) -> (usize, u64) {
    let shop = Wholesaler {
        clerk: Arc::new(Semaphore::new(1)),
        work: TaskTracker::new(),
        calls: AtomicUsize::new(0),
    };
    let budget = Budget { saved: Mutex::new(0), cost };
    let customers = join_all((0..600).map(async |customer| {
        sleep(customer * 3 * SECOND).await;
        let came = Instant::now();
        budget.hedged(&shop).await;
        came.elapsed().as_secs()
    }));
    let large_order = async {
        sleep(61 * SECOND).await;
        shop.ask(30 * SECOND).await;
    };
    let (waits, ()) = join(customers, large_order).await;
    shop.work.close();
    shop.work.wait().await;
    (shop.calls.into_inner() - 1, waits[599])
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let (calls, last) = half_an_hour(u32::MAX).await;
    println!("no hedges: {calls} calls, the last one waits {last} s");
    assert_eq!((calls, last), (600, 2));

    let (calls, broken) = half_an_hour(0).await;
    println!("as many as it takes: {calls} calls, {broken} s");
    assert!(calls > 1100 && broken > 500);

    let (calls, fixed) = half_an_hour(10).await;
    println!("one in ten: {calls} calls, {fixed} s");
    assert!(calls <= 660);
    assert_eq!(fixed, 2);
}
// ANCHOR_END: all
