// ANCHOR: all
use std::future::Future;
use std::time::Duration;

use tokio::time::timeout;

// ANCHOR: broken
struct Request<F> {
    response: F,
}

impl<F: Future> Request<F> {
    /// The response, if it is there within a second. Call it again.
    async fn poll(&mut self) -> Option<F::Output> {
        let second = Duration::from_secs(1);
        timeout(second, &mut self.response).await.ok()
    }
}
// ANCHOR_END: broken

#[tokio::main]
async fn main() {
    Request { response: async {} }.poll().await;
}
// ANCHOR_END: all
