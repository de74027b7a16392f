// ANCHOR: all
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::Clock;
use governor::{Quota, RateLimiter};
use tokio::time::{Instant, sleep, timeout};

const DAY: Duration = Duration::from_secs(86_400);
const ONE_AN_HOUR: Quota = Quota::per_hour(NonZeroU32::MIN);

// ANCHOR: clock
/// tokio's clock, since its start.
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
    // Broken: governor looks at the real clock, on which no time passes.
    let door = RateLimiter::direct(ONE_AN_HOUR);
    assert!(door.check().is_ok());
    sleep(DAY).await;
    let next_day = door.check();
    let waited = timeout(DAY, door.until_ready()).await;
    // ANCHOR_END: broken
    println!("its own clock: refused {}, {waited:?}", next_day.is_err());
    assert!(next_day.is_err() && waited.is_err());

    // ANCHOR: fixed
    // Fixed: the clock of those who wait.
    let clock = TokioClock(Instant::now());
    let door = RateLimiter::direct_with_clock(ONE_AN_HOUR, clock);
    assert!(door.check().is_ok());
    sleep(DAY).await;
    let next_day = door.check();
    // ANCHOR_END: fixed
    println!("tokio's clock: refused {}", next_day.is_err());
    assert!(next_day.is_ok());

    let early = door.check().expect_err("one an hour");
    let wait = early.wait_time_from(door.clock().now());
    println!("the next one: in {wait:?}");
    assert_eq!(wait, Duration::from_secs(3600));
}
// ANCHOR_END: all
