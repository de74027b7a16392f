// ANCHOR: all
use std::cell::Cell;
use std::num::NonZeroU32;
use std::time::Duration;

use futures::future::join_all;
use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::time::{Instant, sleep};

// ANCHOR: clock
/// tokio's clock, since its start.
struct TokioClock(Instant);

impl Clock for TokioClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

type Door =
    RateLimiter<NotKeyed, InMemoryState, TokioClock, NoOpMiddleware<Duration>>;
// ANCHOR_END: clock

// ANCHOR: quota
/// Four a minute: the first four at once, then one every fifteen seconds.
const FOUR: NonZeroU32 = NonZeroU32::new(4).expect("not zero");
const QUOTA: Quota = Quota::per_minute(FOUR);
// ANCHOR_END: quota

// ANCHOR: enter
/// Waits until there is room, and asks again: others may have been quicker.
async fn enter(door: &Door) {
    while let Err(early) = door.check() {
        sleep(early.wait_time_from(door.clock().now())).await;
    }
}
// ANCHOR_END: enter

#[derive(Default)]
struct Hall {
    inside: Cell<u32>,
    peak: Cell<u32>,
}

/// Takes five minutes.
async fn look() {
    sleep(Duration::from_secs(300)).await;
}

/// Returns the second in which the visitor has come in.
async fn visit(door: &Door, hall: &Hall, opened: Instant) -> u64 {
    enter(door).await;
    let entered = opened.elapsed().as_secs();
    hall.inside.set(hall.inside.get() + 1);
    hall.peak.set(hall.peak.get().max(hall.inside.get()));
    look().await;
    hall.inside.set(hall.inside.get() - 1);
    entered
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let (opened, hall) = (Instant::now(), Hall::default());
    let door = RateLimiter::direct_with_clock(QUOTA, TokioClock(opened));

    // ANCHOR: visits
    let visits = (0..12).map(|_| visit(&door, &hall, opened));
    let entered = join_all(visits).await;
    println!("entered: {entered:?}");
    assert_eq!(entered, [0, 0, 0, 0, 15, 30, 45, 60, 75, 90, 105, 120]);
    // ANCHOR_END: visits

    println!("inside: {} at the same time", hall.peak.get());
    assert_eq!(hall.peak.get(), 12, "a rate is no cap");

    // ANCHOR: saved
    // An hour without visitors: four may come at once, and not 240.
    sleep(Duration::from_secs(3600)).await;
    let at_once = (0..240).take_while(|_| door.check().is_ok()).count();
    println!("after an hour: {at_once} at once");
    assert_eq!(at_once, 4);
    // ANCHOR_END: saved
}
// ANCHOR_END: all
