// ANCHOR: all
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use backon::{Backoff, BackoffBuilder, ExponentialBuilder};
use futures::future::join_all;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};

/// Answers one request at a time, in 200 ms; 503 to the others.
struct Carrier {
    start: Instant,
    permit: Semaphore,
    /// How many requests came in a millisecond.
    requests: RefCell<BTreeMap<u128, u32>>,
}

impl Carrier {
    async fn track(&self) -> bool {
        let now = self.start.elapsed().as_millis();
        *self.requests.borrow_mut().entry(now).or_default() += 1;
        let Ok(_permit) = self.permit.try_acquire() else {
            return false;
        };
        sleep(Duration::from_millis(200)).await;
        true
    }
}

const BACKOFF: ExponentialBuilder = ExponentialBuilder::new(); // 1 s, 2 s, 4 s

/// From the whole wait to twice as much.
fn jitter(seed: u64) -> impl Backoff {
    BACKOFF.with_jitter().with_jitter_seed(seed).build()
}

/// From nothing to the whole wait.
fn full_jitter(seed: u64) -> impl Backoff {
    let mut random = fastrand::Rng::with_seed(seed);
    BACKOFF.build().map(move |wait| wait.mul_f64(random.f64()))
}

/// What backon's `retry` does, by hand: a backoff is an iterator.
async fn client(carrier: &Carrier, backoff: impl Backoff) -> bool {
    for wait in backoff {
        if carrier.track().await {
            return true;
        }
        sleep(wait).await;
    }
    carrier.track().await
}

/// Eight clients, all at once: how many succeed, and the requests.
async fn clients<B: Backoff>(
    backoff: impl Fn(u64) -> B,
) -> (usize, BTreeMap<u128, u32>) {
    let carrier = Carrier {
        start: Instant::now(),
        permit: Semaphore::new(1),
        requests: RefCell::default(),
    };
    let clients = (1..=8).map(|seed| client(&carrier, backoff(seed)));
    let succeeded = join_all(clients).await;
    let succeeded = succeeded.into_iter().filter(|succeeded| *succeeded);
    (succeeded.count(), carrier.requests.into_inner())
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    // ANCHOR: broken
    let (succeeded, requests) = clients(|_| BACKOFF.build()).await;
    // ANCHOR_END: broken
    println!("no jitter: {succeeded} succeed, {requests:?}");
    let expected = [(0, 8), (1000, 7), (3000, 6), (7000, 5)];
    assert_eq!((succeeded, requests), (4, BTreeMap::from(expected)));

    let (succeeded, requests) = clients(jitter).await;
    let (last, _) = requests.last_key_value().expect("a request");
    println!("with_jitter: {succeeded} succeed, the last request at {last} ms");
    assert_eq!((succeeded, *last), (8, 9821));
    assert!(requests.into_iter().skip(1).all(|(_, at_once)| at_once == 1));

    // ANCHOR: fixed
    let (succeeded, requests) = clients(full_jitter).await;
    // ANCHOR_END: fixed
    let (last, _) = requests.last_key_value().expect("a request");
    println!("full jitter: {succeeded} succeed, the last request at {last} ms");
    assert_eq!((succeeded, *last), (8, 4093));
    assert!(requests.into_iter().skip(1).all(|(_, at_once)| at_once == 1));

    // `with_max_delay` limits the wait before jitter is added.
    let backoff = BACKOFF.with_max_delay(Duration::from_secs(1)).with_jitter();
    let longest = backoff.with_jitter_seed(7).build().max();
    println!("with_max_delay of 1 s and with_jitter: {longest:.1?}");
    let longest = longest.expect("a wait");
    assert!(longest > Duration::from_secs(1));
    assert!(longest < Duration::from_secs(2));
}
// ANCHOR_END: all
