// ANCHOR: all
use std::num::NonZeroU32;
use std::time::Duration;

use futures::future::{join, join_all};
use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);
const FOUR: NonZeroU32 = NonZeroU32::new(4).expect("not zero");

/// tokio's clock, since a moment.
struct TokioClock(Instant);

impl Clock for TokioClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

struct Pace {
    limiter: RateLimiter<
        NotKeyed,
        InMemoryState,
        TokioClock,
        NoOpMiddleware<Duration>,
    >,
    turn: Mutex<()>,
}

// ANCHOR: broken
async fn unordered(pace: &Pace, labels: NonZeroU32) {
    let check = || pace.limiter.check_n(labels).expect("four at most");
    while let Err(early) = check() {
        sleep(early.wait_time_from(pace.limiter.clock().now())).await;
    }
}
// ANCHOR_END: broken

// ANCHOR: fixed
async fn in_order(pace: &Pace, labels: NonZeroU32) {
    let _turn = pace.turn.lock().await; // tokio's mutex is a queue
    unordered(pace, labels).await;
}
// ANCHOR_END: fixed

/// After a first label, a caller waits for four labels at once. From then on,
/// a caller comes every 15 s for one label. How many seconds the four took, if
/// they came at all, and how long a single one waited at most.
async fn hour(
    ready: impl AsyncFn(&Pace, NonZeroU32),
) -> (Option<u64>, Option<u64>) {
    let start = Instant::now();
    let quota = Quota::per_minute(FOUR);
    let limiter = RateLimiter::direct_with_clock(quota, TokioClock(start));
    let pace = Pace { limiter, turn: Mutex::new(()) };
    ready(&pace, NonZeroU32::MIN).await;
    let four = timeout(3600 * SECOND, ready(&pace, FOUR));
    let four = async { four.await.ok().map(|()| start.elapsed().as_secs()) };
    let singles = (0..240).map(async |number| {
        sleep((14 + 15 * number) * SECOND).await;
        let start = Instant::now();
        ready(&pace, NonZeroU32::MIN).await;
        start.elapsed().as_secs()
    });
    let (four, waits) = join(four, join_all(singles)).await;
    (four, waits.into_iter().max())
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let (four, wait) = hour(unordered).await;
    println!("unordered: four labels {four:?}, one label waits {wait:?} s");
    assert_eq!((four, wait), (None, Some(0)));

    let (four, wait) = hour(in_order).await;
    println!("in order: four labels {four:?}, one label waits {wait:?} s");
    assert_eq!((four, wait), (Some(15), Some(16)));
}
// ANCHOR_END: all
