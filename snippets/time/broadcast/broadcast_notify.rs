// ANCHOR: all
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::yield_now;
use tokio::time::timeout;

const DAY: Duration = Duration::from_secs(86_400);

#[derive(Default)]
struct Start {
    fallen: AtomicBool,
    gun: Notify,
}

impl Start {
    async fn fire(&self) {
        self.fallen.store(true, Relaxed);
        self.gun.notify_waiters();
    }

    // Broken: the shot falls after the look and before the ear is open.
    async fn wait(&self) {
        if !self.fallen.load(Relaxed) {
            yield_now().await; // ties a shoe
            self.gun.notified().await;
        }
    }

    // Fixed: first the ear, then the look.
    async fn wait_well(&self) {
        let shot = self.gun.notified();
        if !self.fallen.load(Relaxed) {
            yield_now().await;
            shot.await;
        }
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    // ANCHOR: broken
    let start = Start::default();
    let race = async { tokio::join!(start.wait(), start.fire()) };
    let ran = timeout(DAY, race).await.is_ok();
    println!("Notify, look and wait: runs {ran}");
    assert!(!ran);
    // ANCHOR_END: broken

    let start = Start::default();
    let race = async { tokio::join!(start.wait_well(), start.fire()) };
    let ran = timeout(DAY, race).await.is_ok();
    println!("Notify, listen and look: runs {ran}");
    assert!(ran);

    // Or a value instead of a ring: it is there for whoever comes later.
    let (gun, mut start) = watch::channel(false);
    gun.send_replace(true);
    let ran = timeout(DAY, start.wait_for(|fired| *fired)).await.is_ok();
    println!("watch: runs {ran}");
    assert!(ran);
}
// ANCHOR_END: all
