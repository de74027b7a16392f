// ANCHOR: all
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::{sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

/// A breaker whose pause is over: one may ring, and see.
#[derive(Default)]
struct HalfOpen {
    probing: AtomicBool,
}

impl HalfOpen {
    // ANCHOR: broken
    /// Broken: whoever is dropped in the await leaves `probing` behind.
    async fn broken(&self, ring: impl Future<Output = ()>) -> bool {
        if self.probing.swap(true, Relaxed) {
            return false;
        }
        ring.await;
        self.probing.store(false, Relaxed);
        true
    }
    // ANCHOR_END: broken

    // ANCHOR: fixed
    /// Fixed: whatever ends the await, the guard is dropped.
    async fn fixed(&self, ring: impl Future<Output = ()>) -> bool {
        if self.probing.swap(true, Relaxed) {
            return false;
        }
        let _probing = Probing(&self.probing);
        ring.await;
        true
    }
    // ANCHOR_END: fixed
}

struct Probing<'a>(&'a AtomicBool);

impl Drop for Probing<'_> {
    fn drop(&mut self) {
        self.0.store(false, Relaxed);
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    // The line works, and takes two seconds. The first customer has one.
    let ring = || sleep(2 * SECOND);

    let line = HalfOpen::default();
    assert!(timeout(SECOND, line.broken(ring())).await.is_err());
    let mut refused = 0;
    for _minute in 0..24 * 60 {
        refused += u32::from(!line.broken(ring()).await);
        sleep(60 * SECOND).await;
    }
    println!("a line after the await: {refused} refused in a day");
    assert_eq!(refused, 24 * 60);

    let line = HalfOpen::default();
    assert!(timeout(SECOND, line.fixed(ring())).await.is_err());
    let next = line.fixed(ring()).await;
    println!("a guard: the next one rings: {next}");
    assert!(next);
}
// ANCHOR_END: all
