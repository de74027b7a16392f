// ANCHOR: all
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

/// Each box has three boxes, five times.
struct Carrier {
    running: AtomicU32,
    peak: AtomicU32,
    requests: AtomicU32,
    semaphore: Semaphore,
}

impl Carrier {
    fn new() -> Self {
        let semaphore = Semaphore::new(3);
        Self {
            running: 0.into(),
            peak: 0.into(),
            requests: 0.into(),
            semaphore,
        }
    }

    async fn list(&self, depth: u32) -> u32 {
        self.requests.fetch_add(1, Relaxed);
        let running = self.running.fetch_add(1, Relaxed) + 1;
        self.peak.fetch_max(running, Relaxed);
        sleep(SECOND).await;
        self.running.fetch_sub(1, Relaxed);
        if depth < 5 { 3 } else { 0 }
    }
}

// ANCHOR: broken
async fn all_at_once(carrier: &Carrier, depth: u32) {
    let boxes = carrier.list(depth).await;
    let walk = |_| Box::pin(all_at_once(carrier, depth + 1));
    join_all((0..boxes).map(walk)).await;
}
// ANCHOR_END: broken

// ANCHOR: broken_permit
async fn keeps_its_permit(carrier: &Carrier, depth: u32) {
    let _permit = carrier.semaphore.acquire().await.expect("open");
    let boxes = carrier.list(depth).await;
    let walk = |_| Box::pin(keeps_its_permit(carrier, depth + 1));
    join_all((0..boxes).map(walk)).await;
}
// ANCHOR_END: broken_permit

// ANCHOR: fixed
async fn releases_its_permit(carrier: &Carrier, depth: u32) {
    let permit = carrier.semaphore.acquire().await.expect("open");
    let boxes = carrier.list(depth).await;
    drop(permit); // before it waits for the next level
    let walk = |_| Box::pin(releases_its_permit(carrier, depth + 1));
    join_all((0..boxes).map(walk)).await;
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let carrier = Carrier::new();
    all_at_once(&carrier, 0).await;
    println!("all at once: {:?} requests at a time", carrier.peak);
    assert_eq!(carrier.peak.into_inner(), 243);

    let carrier = Carrier::new();
    let end = timeout(10_000 * SECOND, keeps_its_permit(&carrier, 0)).await;
    println!("a permit for all below: {end:?}");
    assert!(end.is_err());
    assert_eq!(carrier.running.into_inner(), 0, "they only wait");

    let carrier = Carrier::new();
    let end = timeout(10_000 * SECOND, releases_its_permit(&carrier, 0)).await;
    println!("a permit for one request: {:?} at a time", carrier.peak);
    assert!(end.is_ok());
    assert_eq!(carrier.peak.into_inner(), 3);
    assert_eq!(carrier.requests.into_inner(), 1 + 3 + 9 + 27 + 81 + 243);
}
// ANCHOR_END: all
