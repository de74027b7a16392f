// ANCHOR: all
use std::cell::Cell;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder, Retryable};
use tokio::time::{Instant, sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);
const PAUSES: ExponentialBuilder = ExponentialBuilder::new(); // three retries

/// "Call back in a minute", whenever you call.
struct Later(Duration);

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let calls = Cell::new(0);
    let call = || async {
        calls.set(calls.get() + 1);
        Err::<(), _>(Later(60 * SECOND))
    };

    // ANCHOR: broken
    // Broken: it answers before it has asked whether there is a pause left.
    let obey = |later: &Later, _pause: Option<Duration>| Some(later.0);
    let day = 86_400 * SECOND - SECOND;
    let end = timeout(day, call.retry(PAUSES).adjust(obey)).await;
    // ANCHOR_END: broken
    println!("three retries, within a day: {} calls", calls.get());
    assert!(end.is_err(), "it would go on");
    assert_eq!(calls.take(), 1440);

    // ANCHOR: fixed
    // Fixed: no pause, no more.
    let obey =
        |later: &Later, pause: Option<Duration>| Some(later.0.max(pause?));
    let end = timeout(day, call.retry(PAUSES).adjust(obey)).await;
    // ANCHOR_END: fixed
    println!("three retries: {} calls", calls.get());
    assert!(end.is_ok(), "it has given up");
    assert_eq!(calls.take(), 4);

    // ANCHOR: total
    // Broken: ten seconds for the pauses, and nothing for the calls.
    let ringing = || async {
        sleep(20 * SECOND).await;
        Err::<(), _>("nobody answers")
    };
    let pauses = PAUSES.with_total_delay(Some(10 * SECOND));
    let start = Instant::now();
    let end = ringing.retry(pauses).await;
    // ANCHOR_END: total
    println!("total_delay of 10 s: {:?} after {:?}", end, start.elapsed());
    assert_eq!((end, start.elapsed()), (Err("nobody answers"), 87 * SECOND));

    // ANCHOR: deadline
    // Fixed: a deadline.
    let start = Instant::now();
    let end = timeout(10 * SECOND, ringing.retry(pauses)).await;
    // ANCHOR_END: deadline
    println!("a timeout of 10 s: {:?} after {:?}", end, start.elapsed());
    assert_eq!((end.is_err(), start.elapsed()), (true, 10 * SECOND));

    // The longest pause: jitter comes on top of it.
    let pauses = PAUSES.with_max_delay(SECOND).with_jitter();
    let longest = pauses.with_jitter_seed(7).build().max();
    println!("max_delay of 1 s: {longest:.1?}");
    assert!(longest > Some(SECOND) && longest < Some(2 * SECOND));
}
// ANCHOR_END: all
