// ANCHOR: all
use std::cell::Cell;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use tokio::time::{Instant, timeout};

/// The wait that the server asks for, whenever it is called.
struct Failure(Duration);

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let backoff = ExponentialBuilder::new().with_max_times(3);
    let requests = Cell::new(0);
    let request = async || {
        requests.set(requests.get() + 1);
        Err::<(), _>(Failure(Duration::from_secs(60)))
    };
    let day = Duration::from_secs(86_400 - 1);

    // ANCHOR: broken
    let adjust = |Failure(asked): &Failure, _| Some(*asked);
    let retries = request.retry(backoff).adjust(adjust);
    // ANCHOR_END: broken
    assert!(timeout(day, retries).await.is_err(), "it would go on");
    println!("three retries, in a day: {} requests", requests.get());
    assert_eq!(requests.take(), 1440);

    // ANCHOR: fixed
    let adjust = |Failure(asked): &Failure, wait: Option<Duration>| {
        Some(wait?.saturating_add(*asked))
    };
    let retries = request.retry(backoff).adjust(adjust);
    // ANCHOR_END: fixed
    let start = Instant::now();
    assert!(timeout(day, retries).await.is_ok(), "it has given up");
    let waited = start.elapsed().as_secs();
    assert_eq!(waited, 3 * 60 + 1 + 2 + 4, "asked for, and its own");
    println!("three retries: {} requests", requests.get());
    assert_eq!(requests.take(), 4);
}
// ANCHOR_END: all
