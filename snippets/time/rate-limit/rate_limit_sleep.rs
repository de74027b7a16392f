// ANCHOR: all
use std::cell::Cell;
use std::time::Duration;

use futures::future::join_all;
use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::time::{Instant, sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

/// tokio's clock, since a moment.
struct TokioClock(Instant);

impl Clock for TokioClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

type Limiter =
    RateLimiter<NotKeyed, InMemoryState, TokioClock, NoOpMiddleware<Duration>>;

/// A request to the carrier, which takes five seconds.
async fn track(sent: &Cell<u32>) {
    sent.set(sent.get() + 1);
    sleep(5 * SECOND).await;
}

// ANCHOR: broken
async fn by_sleep(sent: &Cell<u32>) {
    loop {
        track(sent).await;
        sleep(15 * SECOND).await;
    }
}
// ANCHOR_END: broken

// ANCHOR: fixed
async fn by_limiter(sent: &Cell<u32>, limiter: &Limiter) {
    loop {
        while let Err(early) = limiter.check() {
            let now = limiter.clock().now();
            sleep(early.wait_time_from(now)).await;
        }
        track(sent).await;
    }
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let ten_minutes = 599 * SECOND;
    let quota = Quota::with_period(15 * SECOND).expect("not zero");
    for (workers, expected) in [(1, 30), (3, 90)] {
        let sent = Cell::new(0);
        let all = join_all((0..workers).map(|_| by_sleep(&sent)));
        assert!(timeout(ten_minutes, all).await.is_err(), "no end");
        println!("{workers} sleeping: {} requests in ten minutes", sent.get());
        assert_eq!(sent.take(), expected);

        let clock = TokioClock(Instant::now());
        let limiter = RateLimiter::direct_with_clock(quota, clock);
        let all = join_all((0..workers).map(|_| by_limiter(&sent, &limiter)));
        assert!(timeout(ten_minutes, all).await.is_err(), "no end");
        println!("{workers} with a limiter: {} requests", sent.get());
        assert_eq!(sent.take(), 40);
    }
}
// ANCHOR_END: all
