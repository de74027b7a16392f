// ANCHOR: all
use std::future::pending;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::{Instant, timeout};

const LIMIT: Duration = Duration::from_secs(3);

/// Opens after five failures in a row, and never closes.
#[derive(Default)]
struct Breaker {
    failures: AtomicU32,
}

impl Breaker {
    async fn call<T>(
        &self,
        request: impl AsyncFnOnce() -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        anyhow::ensure!(self.failures.load(Relaxed) < 5, "open");
        let result = request().await;
        match result {
            Ok(_) => self.failures.store(0, Relaxed),
            Err(_) => _ = self.failures.fetch_add(1, Relaxed),
        }
        result
    }
}

/// The carrier is silent.
async fn track() -> anyhow::Result<()> {
    pending().await
}

// ANCHOR: broken
async fn track_outside(breaker: &Breaker) -> anyhow::Result<()> {
    timeout(LIMIT, breaker.call(track)).await?
}
// ANCHOR_END: broken

// ANCHOR: fixed
async fn track_inside(breaker: &Breaker) -> anyhow::Result<()> {
    breaker.call(async || timeout(LIMIT, track()).await?).await
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let (start, breaker) = (Instant::now(), Breaker::default());
    for _ in 0..20 {
        track_outside(&breaker).await.expect_err("silence");
    }
    let waited = start.elapsed().as_secs();
    println!("outside: {:?} failures, {waited} s waited", breaker.failures);
    assert_eq!((breaker.failures.into_inner(), waited), (0, 20 * 3));

    let (start, breaker) = (Instant::now(), Breaker::default());
    for _ in 0..20 {
        track_inside(&breaker).await.expect_err("silence");
    }
    let waited = start.elapsed().as_secs();
    println!("inside: {:?} failures, {waited} s waited", breaker.failures);
    assert_eq!((breaker.failures.into_inner(), waited), (5, 5 * 3));
}
// ANCHOR_END: all
