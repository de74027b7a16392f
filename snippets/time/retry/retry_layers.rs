// ANCHOR: all
use std::cell::Cell;

use backon::{ExponentialBuilder, Retryable};

/// A failed request, and whether a layer has retried it already.
struct Failure {
    retried: bool,
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let requests = Cell::new(0);
    let request = async || {
        requests.set(requests.get() + 1);
        Err::<(), _>(Failure { retried: false })
    };
    let backoff = ExponentialBuilder::new().with_max_times(3);

    // ANCHOR: broken
    let client = async || request.retry(backoff).await;
    let handler = async || client.retry(backoff).await;
    // ANCHOR_END: broken
    assert!(handler().await.is_err());
    println!("retries in two layers: {} requests", requests.get());
    assert_eq!(requests.take(), 16);

    // ANCHOR: fixed
    let client = async || request().await;
    let handler = async || client.retry(backoff).await;
    // ANCHOR_END: fixed
    assert!(handler().await.is_err());
    println!("retries in one layer: {} requests", requests.get());
    assert_eq!(requests.take(), 4);

    // ANCHOR: fixed_marked
    let client = async || {
        let result = request.retry(backoff).await;
        result.map_err(|_| Failure { retried: true })
    };
    let handler = async || {
        client.retry(backoff).when(|failure: &Failure| !failure.retried).await
    };
    // ANCHOR_END: fixed_marked
    assert!(handler().await.is_err_and(|failure| failure.retried));
    println!("an error that says so: {} requests", requests.get());
    assert_eq!(requests.take(), 4);
}
// ANCHOR_END: all
