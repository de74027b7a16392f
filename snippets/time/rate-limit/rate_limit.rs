// ANCHOR: all
// ANCHOR: keep
use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Jitter, Quota, RateLimiter};
use tokio::sync::{Mutex, Semaphore, watch};
use tokio::time::{Duration, Instant, sleep};

/// The longest random time that is added to each wait.
const JITTER: Duration = Duration::from_millis(100);

// ANCHOR: clock
/// The clock of tokio's timers, since a moment.
struct TokioClock(Instant);

impl Clock for TokioClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

type Limiter =
    RateLimiter<NotKeyed, InMemoryState, TokioClock, NoOpMiddleware<Duration>>;
// ANCHOR_END: clock

// ANCHOR: pace
/// Too many callers wait already.
#[derive(Debug, thiserror::Error)]
#[error("too many callers wait")]
struct Busy;

/// Spaces your own calls. Those that wait are served in order.
struct Pace {
    limiter: Limiter,
    places: Semaphore,
    turn: Mutex<()>,
    resume: watch::Sender<Instant>,
}

impl Pace {
    fn new(quota: Quota, places: usize) -> Self {
        let now = Instant::now();
        Pace {
            limiter: RateLimiter::direct_with_clock(quota, TokioClock(now)),
            places: Semaphore::new(places),
            turn: Mutex::new(()),
            resume: watch::Sender::new(now),
        }
    }
    // ANCHOR_END: pace

    // ANCHOR: ready
    /// Returns when you may call.
    async fn ready(&self) -> Result<(), Busy> {
        let _place = self.places.try_acquire().map_err(|_| Busy)?;
        let _turn = self.turn.lock().await;
        loop {
            let resume = *self.resume.borrow();
            let mut wait = resume.saturating_duration_since(Instant::now());
            if wait.is_zero() {
                let Err(early) = self.limiter.check() else { return Ok(()) };
                wait = early.wait_time_from(self.limiter.clock().now());
            }
            sleep(Jitter::up_to(JITTER) + wait).await;
        }
    }
    // ANCHOR_END: ready

    // ANCHOR: pause
    /// Makes no call for a time, an hour at most: the answer was 429.
    fn pause(&self, retry_after: Duration) {
        let wait = retry_after.min(Duration::from_secs(3600));
        let until = Instant::now() + wait;
        self.resume.send_modify(|resume| *resume = until.max(*resume));
    }
    // ANCHOR_END: pause
}
// ANCHOR_END: keep

// Calls of a carrier, at the second in which they begin.
use std::future::{Future, poll_fn};
use std::num::NonZeroU32;
use std::pin::pin;
use std::sync::Arc;

use futures::future::{join, join_all};
use tokio::time::timeout;

const SECOND: Duration = Duration::from_secs(1);

/// The burst is four: as many calls may begin at once.
fn four_a_minute() -> Quota {
    Quota::per_minute(NonZeroU32::new(4).expect("not zero"))
}

fn pace(places: usize) -> Pace {
    Pace::new(four_a_minute(), places)
}

/// In which second of `start` a call may begin. `None` if it is refused.
async fn call(pace: &Pace, start: Instant) -> Option<u64> {
    pace.ready().await.ok()?;
    Some(start.elapsed().as_secs())
}

async fn calls(pace: &Pace, count: usize) -> Vec<Option<u64>> {
    let start = Instant::now();
    join_all((0..count).map(|_| call(pace, start))).await
}

/// A carrier that answers 429, and asks for two minutes without a call.
async fn track() -> (u16, Duration) {
    sleep(SECOND).await;
    (429, 120 * SECOND)
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let many = calls(&pace(100), 12).await;
    let many: Vec<_> = many.into_iter().flatten().collect();
    println!("12 calls: in the seconds {many:?}");
    assert_eq!(many, [0, 0, 0, 0, 15, 30, 45, 60, 75, 90, 105, 120]);
    assert_eq!(many.iter().filter(|second| **second < 60).count(), 7);

    // Each wait has a random time in addition, of 100 ms at most.
    let pace_of_one = pace(1);
    let start = Instant::now();
    let mut added = Duration::ZERO;
    for call in 0..20 {
        pace_of_one.ready().await.expect("a place");
        let due = SECOND * 15 * u32::saturating_sub(call, 3);
        let late = start.elapsed() - due;
        assert!(late <= Duration::from_millis(101), "{late:?}");
        added += late;
    }
    assert!(added > Duration::ZERO);

    // A caller sleeps until its call is due, and does not ask meanwhile.
    let mut polls = 0;
    let mut ready = pin!(pace_of_one.ready());
    let counted = poll_fn(|cx| {
        polls += 1;
        ready.as_mut().poll(cx)
    });
    counted.await.expect("a place");
    assert!(polls <= 3, "{polls}");

    let quota = four_a_minute().allow_burst(NonZeroU32::MIN);
    let even = calls(&Pace::new(quota, 100), 6).await;
    let even: Vec<_> = even.into_iter().flatten().collect();
    println!("a burst of 1: in the seconds {even:?}");
    assert_eq!(even, [0, 15, 30, 45, 60, 75]);

    // Four begin, eight wait, and there is no place for the rest.
    let full = calls(&pace(8), 20).await;
    let refused = full.iter().filter(|second| second.is_none()).count();
    println!("full: {refused} of 20 are refused at once");
    assert_eq!(refused, 8);
    assert!(full[..12].is_sorted() && full[11] == Some(120), "{full:?}");
    assert!(full[12..].iter().all(Option::is_none));

    // A caller that gives up takes no call away from the next one.
    let pace = pace(8);
    calls(&pace, 4).await;
    let start = Instant::now();
    let cancelled = timeout(10 * SECOND, pace.ready());
    let (cancelled, next) = join(cancelled, call(&pace, start)).await;
    assert!(cancelled.is_err());
    println!(
        "cancelled: the next call is in second {}",
        next.expect("a place")
    );
    assert_eq!(next, Some(15));

    // An hour without calls saves up four of them, and not 240.
    sleep(3600 * SECOND).await;
    let saved = calls(&pace, 8).await;
    let at_once = saved.iter().filter(|second| **second == Some(0)).count();
    println!("after an hour: {at_once} at once");
    assert_eq!(at_once, 4);

    // A pause prolongs a wait that has begun, and a shorter one does not
    // end it.
    let pace = Arc::new(self::pace(8));
    calls(&pace, 3).await;
    let start = Instant::now();
    let shared = Arc::clone(&pace);
    // It runs when this task waits for the carrier.
    let waiting = tokio::spawn(async move { call(&shared, start).await });
    // ANCHOR: call
    pace.ready().await?;
    let (status, retry_after) = track().await;
    if status == 429 {
        pace.pause(retry_after);
    }
    // ANCHOR_END: call
    pace.pause(SECOND);
    let paused = waiting.await?;
    println!("429, 120 s: the next call is in second {:?}", paused);
    assert_eq!(paused, Some(121));

    // A pause has an end, whatever the other side says.
    let start = Instant::now();
    pace.pause(Duration::MAX);
    let paused = call(&pace, start).await;
    println!("429, forever: the next call is in second {:?}", paused);
    assert_eq!(paused, Some(3600));
    Ok(())
}
// ANCHOR_END: all
