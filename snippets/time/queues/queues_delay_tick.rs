// ANCHOR: all
use std::time::Duration;

use futures::StreamExt;
use tokio::time::Instant;
use tokio_util::time::DelayQueue;

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let (start, mut due) = (Instant::now(), DelayQueue::new());
    // In microseconds.
    for after in [5_000, 1_900, 1_100, 900, 0] {
        due.insert(after, Duration::from_micros(after));
    }
    let mut came = Vec::new();
    while let Some(expired) = due.next().await {
        came.push((start.elapsed().as_micros(), expired.into_inner()));
    }
    println!("{came:?}");
    // Never too early. Within one millisecond, no order is promised.
    came[2..4].sort();
    let expected =
        [(0, 0), (1_000, 900), (2_000, 1_100), (2_000, 1_900), (5_000, 5_000)];
    assert_eq!(came, expected);
}
// ANCHOR_END: all
