// ANCHOR: all
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use tokio::time::{Instant, sleep, timeout};

/// A slow carrier: it answers after 20 s, with an error.
async fn request() -> Result<(), &'static str> {
    sleep(Duration::from_secs(20)).await;
    Err("503 Service Unavailable")
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let ten_seconds = Duration::from_secs(10);
    let start = Instant::now();
    // ANCHOR: broken
    let backoff = ExponentialBuilder::new().with_total_delay(Some(ten_seconds));
    let result = request.retry(backoff).await;
    // ANCHOR_END: broken
    println!("total_delay of 10 s: {result:?} after {:?}", start.elapsed());
    assert_eq!(result, Err("503 Service Unavailable"));
    assert_eq!(start.elapsed(), Duration::from_secs(87));

    let backoff = ExponentialBuilder::new();
    let start = Instant::now();
    // ANCHOR: fixed
    let result = timeout(ten_seconds, request.retry(backoff)).await;
    // ANCHOR_END: fixed
    println!("timeout of 10 s: {result:?} after {:?}", start.elapsed());
    assert!(result.is_err());
    assert_eq!(start.elapsed(), ten_seconds);
}
// ANCHOR_END: all
