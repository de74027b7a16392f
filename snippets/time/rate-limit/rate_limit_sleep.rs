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

/// tokio's clock, since its start.
struct TokioClock(Instant);

impl Clock for TokioClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

type Limiter =
    RateLimiter<NotKeyed, InMemoryState, TokioClock, NoOpMiddleware<Duration>>;

/// Takes five seconds.
async fn book(booked: &Cell<u32>) {
    booked.set(booked.get() + 1);
    sleep(5 * SECOND).await;
}

// ANCHOR: broken
// Broken: fifteen seconds after the last one has ended.
async fn by_sleep(booked: &Cell<u32>) {
    loop {
        book(booked).await;
        sleep(15 * SECOND).await;
    }
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: one limiter, for all who call.
async fn by_limiter(booked: &Cell<u32>, limiter: &Limiter) {
    loop {
        while let Err(early) = limiter.check() {
            let now = limiter.clock().now();
            sleep(early.wait_time_from(now)).await;
        }
        book(booked).await;
    }
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let ten_minutes = 599 * SECOND;
    let quota = Quota::with_period(15 * SECOND).expect("not zero");
    for (clerks, by_sleeping) in [(1, 30), (3, 90)] {
        let booked = Cell::new(0);
        let all = join_all((0..clerks).map(|_| by_sleep(&booked)));
        assert!(timeout(ten_minutes, all).await.is_err(), "no end");
        println!("{clerks} sleeping: {} in ten minutes", booked.get());
        assert_eq!(booked.take(), by_sleeping);

        let clock = TokioClock(Instant::now());
        let limiter = RateLimiter::direct_with_clock(quota, clock);
        let all = join_all((0..clerks).map(|_| by_limiter(&booked, &limiter)));
        assert!(timeout(ten_minutes, all).await.is_err(), "no end");
        println!("{clerks} with a limiter: {}", booked.get());
        assert_eq!(booked.take(), 40);
    }
}
// ANCHOR_END: all
