// ANCHOR: all
use std::future::Future;

use tokio::task::yield_now;

async fn retry<F: Future<Output = bool>>(function: impl Fn() -> F) {
    while !function().await {}
}

/// A request.
async fn ask(carrier: &str) -> bool {
    yield_now().await;
    !carrier.is_empty()
}

#[tokio::main]
async fn main() {
    let carrier = "post".to_owned();
    // ANCHOR: broken
    retry(async move || ask(&carrier).await).await;
    // ANCHOR_END: broken
}
// ANCHOR_END: all
