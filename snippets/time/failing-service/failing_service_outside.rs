// ANCHOR: all
use std::future::{Future, pending};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout};

const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug, PartialEq)]
struct Failed;

impl From<Elapsed> for Failed {
    fn from(_: Elapsed) -> Self {
        Self
    }
}

/// A breaker that opens after three failures in a row, and never again closes.
#[derive(Default)]
struct Breaker {
    failures: AtomicU32,
}

impl Breaker {
    async fn call<T>(
        &self,
        ring: impl Future<Output = Result<T, Failed>>,
    ) -> Result<T, Failed> {
        if self.failures.load(Relaxed) >= 3 {
            return Err(Failed);
        }
        let answer = ring.await;
        match answer {
            Ok(_) => self.failures.store(0, Relaxed),
            Err(_) => _ = self.failures.fetch_add(1, Relaxed),
        }
        answer
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    // ANCHOR: broken
    // Broken: the limit cuts off the breaker too, and it has seen nothing.
    let (start, breaker) = (Instant::now(), Breaker::default());
    for _customer in 0..20 {
        let call = breaker.call(pending::<Result<(), Failed>>());
        assert!(timeout(PATIENCE, call).await.is_err());
    }
    let waited = start.elapsed().as_secs();
    println!("outside: {:?} failures, {waited} s waited", breaker.failures);
    assert_eq!((breaker.failures.into_inner(), waited), (0, 20 * 5));
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: the limit is a part of the call, and its end is an answer.
    let (start, breaker) = (Instant::now(), Breaker::default());
    for _customer in 0..20 {
        let ring = async { Ok(timeout(PATIENCE, pending::<()>()).await?) };
        assert_eq!(breaker.call(ring).await, Err(Failed));
    }
    let waited = start.elapsed().as_secs();
    println!("inside: {:?} failures, {waited} s waited", breaker.failures);
    assert_eq!((breaker.failures.into_inner(), waited), (3, 3 * 5));
    // ANCHOR_END: fixed
}
// ANCHOR_END: all
