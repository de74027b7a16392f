//! Waits for callers instead of for a time.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::Poll;
use std::time::Duration;

use tokio::time::sleep;

/// Counts the callers that wait: those whose future has been polled.
#[derive(Clone, Default)]
pub struct Waiting(Arc<AtomicUsize>);

impl Waiting {
    /// Awaits a future, which counts from its first poll on.
    pub async fn counted<F: Future>(self, future: F) -> F::Output {
        let mut future = pin!(future);
        let polled = futures::poll!(future.as_mut());
        self.0.fetch_add(1, SeqCst);
        match polled {
            Poll::Ready(output) => output,
            Poll::Pending => future.await,
        }
    }

    /// Returns when so many callers wait.
    pub async fn until(&self, callers: usize) {
        while self.0.load(SeqCst) < callers {
            sleep(Duration::from_millis(1)).await;
        }
    }
}
