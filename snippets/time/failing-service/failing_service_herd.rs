// ANCHOR: all
use std::future::pending;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use futures::future::join_all;
use tokio::time::{sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

/// The breaker's pause is over, and the line is still dead.
#[derive(Default)]
struct Line {
    probing: AtomicBool,
    rung: AtomicU32,
}

impl Line {
    async fn ring(&self) {
        self.rung.fetch_add(1, Relaxed);
        let silence = timeout(5 * SECOND, pending::<()>()).await;
        assert!(silence.is_err());
    }

    // Broken: the time is over, so all of them ring.
    async fn all_try(&self, customer: u32) {
        sleep(customer * SECOND).await;
        self.ring().await;
    }

    // Fixed: the first one rings, and the others hear from it.
    async fn one_tries(&self, customer: u32) {
        sleep(customer * SECOND).await;
        if !self.probing.swap(true, Relaxed) {
            self.ring().await;
        }
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    // ANCHOR: broken
    let line = Line::default();
    join_all((0..5).map(|customer| line.all_try(customer))).await;
    println!("everybody: {:?} ring, and wait", line.rung);
    assert_eq!(line.rung.into_inner(), 5);
    // ANCHOR_END: broken

    // ANCHOR: fixed
    let line = Line::default();
    join_all((0..5).map(|customer| line.one_tries(customer))).await;
    println!("one probe: {:?} rings, and waits", line.rung);
    assert_eq!(line.rung.into_inner(), 1);
    // ANCHOR_END: fixed
}
// ANCHOR_END: all
