// ANCHOR: all
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::yield_now;
use tokio::time::timeout;

const DAY: Duration = Duration::from_secs(86_400);

#[derive(Default)]
struct Quotes {
    loaded: AtomicBool,
    changed: Notify,
}

impl Quotes {
    async fn load(&self) {
        self.loaded.store(true, SeqCst);
        self.changed.notify_waiters();
    }

    async fn broken(&self) {
        // ANCHOR: broken
        if !self.loaded.load(SeqCst) {
            log().await;
            self.changed.notified().await;
        }
        // ANCHOR_END: broken
    }

    async fn fixed(&self) {
        // ANCHOR: fixed
        let changed = self.changed.notified();
        if !self.loaded.load(SeqCst) {
            log().await;
            changed.await;
        }
        // ANCHOR_END: fixed
    }
}

/// Lets another task run. On several threads it runs there without this.
async fn log() {
    yield_now().await;
    LOGGED.fetch_add(1, SeqCst);
}

static LOGGED: AtomicU32 = AtomicU32::new(0);

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let quotes = Quotes::default();
    // ANCHOR: waits
    let both = async { tokio::join!(quotes.broken(), quotes.load()) };
    let end = timeout(DAY, both).await;
    // ANCHOR_END: waits
    println!("check, wait: {:?}", end.as_ref().map(|_| "it wakes"));
    assert!(end.is_err());

    let quotes = Quotes::default();
    let both = async { tokio::join!(quotes.fixed(), quotes.load()) };
    let end = timeout(DAY, both).await;
    println!("notified, check, wait: {:?}", end.as_ref().map(|_| "it wakes"));
    assert!(end.is_ok());
    assert_eq!(LOGGED.load(SeqCst), 2);
    // It waits, if nothing is loaded.
    assert!(timeout(DAY, Quotes::default().fixed()).await.is_err());
    // And not if it is loaded already.
    assert!(timeout(DAY, quotes.fixed()).await.is_ok());
}
// ANCHOR_END: all
