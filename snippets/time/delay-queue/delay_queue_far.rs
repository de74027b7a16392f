// ANCHOR: all
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use futures::StreamExt;
use tokio::time::Instant;
use tokio_util::time::DelayQueue;

const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    // Rounded up to a millisecond. Within one, no order is promised.
    let (start, mut queue) = (Instant::now(), DelayQueue::new());
    for micros in [5_000, 1_900, 1_100, 900, 0] {
        queue.insert(micros, Duration::from_micros(micros));
    }
    let mut received = Vec::new();
    while let Some(expired) = queue.next().await {
        received.push((start.elapsed().as_micros(), expired.into_inner()));
    }
    received.sort();
    println!("microseconds: {received:?}");
    let expected =
        [(0, 0), (1_000, 900), (2_000, 1_100), (2_000, 1_900), (5_000, 5_000)];
    assert_eq!(received, expected);

    let mut queue = DelayQueue::new();
    queue.insert("two years", 2 * YEAR);
    for (delay, text) in [(3 * YEAR, "3 years"), (Duration::MAX, "MAX")] {
        // ANCHOR: broken
        let insert = AssertUnwindSafe(|| queue.insert("far", delay));
        let inserted = catch_unwind(insert);
        // ANCHOR_END: broken
        println!("{text}: panics: {}", inserted.is_err());
        assert!(inserted.is_err());
    }
}
// ANCHOR_END: all
