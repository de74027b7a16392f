// ANCHOR: all
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::Clock;
use governor::{Quota, RateLimiter};
use tokio::time::{Instant, sleep, timeout};

const DAY: Duration = Duration::from_secs(86_400);
const ONE_AN_HOUR: Quota = Quota::per_hour(NonZeroU32::MIN);

// ANCHOR: clock
/// tokio's clock, since a moment.
struct TokioClock(Instant);

impl Clock for TokioClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}
// ANCHOR_END: clock

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    // ANCHOR: broken
    let limiter = RateLimiter::direct(ONE_AN_HOUR);
    assert!(limiter.check().is_ok());
    sleep(DAY).await;
    let next_day = limiter.check();
    let ready = timeout(DAY, limiter.until_ready()).await;
    // ANCHOR_END: broken
    println!("its own clock: is_err {}, {ready:?}", next_day.is_err());
    assert!(next_day.is_err() && ready.is_err());

    // ANCHOR: fixed
    let clock = TokioClock(Instant::now());
    let limiter = RateLimiter::direct_with_clock(ONE_AN_HOUR, clock);
    assert!(limiter.check().is_ok());
    sleep(DAY).await;
    let next_day = limiter.check();
    // ANCHOR_END: fixed
    println!("tokio's clock: is_err {}", next_day.is_err());
    assert!(next_day.is_ok());

    let early = limiter.check().expect_err("one an hour");
    let wait = early.wait_time_from(limiter.clock().now());
    assert_eq!(wait, Duration::from_secs(3600));
}
// ANCHOR_END: all
