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

struct Door {
    limiter: Limiter,
    queue: Mutex<()>,
}

// ANCHOR: broken
/// Broken: who looks at the right moment is in, whoever has waited longer.
async fn crowd(door: &Door, visitors: NonZeroU32) {
    let check = || door.limiter.check_n(visitors).expect("four at most");
    while let Err(early) = check() {
        let now = door.limiter.clock().now();
        sleep(early.wait_time_from(now)).await;
    }
}
// ANCHOR_END: broken

// ANCHOR: fixed
/// Fixed: only the first in the queue looks. tokio's mutex is fair.
async fn queue(door: &Door, visitors: NonZeroU32) {
    let _first = door.queue.lock().await;
    crowd(door, visitors).await;
}
// ANCHOR_END: fixed

/// A class of four comes when one visitor has gone in, and after them one
/// visitor every fifteen seconds. In which second is the class in, and how
/// many seconds does a visitor wait at most?
async fn hour(
    enter: impl AsyncFn(&Door, NonZeroU32),
) -> (Option<u64>, Option<u64>) {
    let opened = Instant::now();
    let quota = Quota::per_minute(FOUR);
    let limiter = RateLimiter::direct_with_clock(quota, TokioClock(opened));
    let door = Door { limiter, queue: Mutex::new(()) };
    enter(&door, NonZeroU32::MIN).await;
    let class = timeout(3600 * SECOND, enter(&door, FOUR));
    let class = async { class.await.ok().map(|()| opened.elapsed().as_secs()) };
    let visitors = (0..240).map(async |number| {
        sleep((14 + 15 * number) * SECOND).await;
        let came = Instant::now();
        enter(&door, NonZeroU32::MIN).await;
        came.elapsed().as_secs()
    });
    let (class, waited) = join(class, join_all(visitors)).await;
    (class, waited.into_iter().max())
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let (class, waited) = hour(crowd).await;
    println!("a crowd: class {class:?}, visitors wait {waited:?} s");
    assert_eq!((class, waited), (None, Some(0)));

    let (class, waited) = hour(queue).await;
    println!("a queue: class {class:?}, visitors wait {waited:?} s");
    assert_eq!((class, waited), (Some(15), Some(16)));
}
// ANCHOR_END: all
