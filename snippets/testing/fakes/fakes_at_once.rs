// ANCHOR: all
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// How many notifications were sent.
static SENT: AtomicUsize = AtomicUsize::new(0);

trait Notifier {
    async fn send(&self, parcel: u32);
}

struct AtOnce;

impl Notifier for AtOnce {
    // ANCHOR: broken
    async fn send(&self, _parcel: u32) {
        SENT.fetch_add(1, SeqCst);
    }
    // ANCHOR_END: broken
}

struct Slow;

impl Notifier for Slow {
    // ANCHOR: fixed
    async fn send(&self, _parcel: u32) {
        sleep(Duration::from_secs(1)).await;
        SENT.fetch_add(1, SeqCst);
    }
    // ANCHOR_END: fixed
}

/// By mistake it notes down the parcel after the await.
async fn notify_once(notifier: &impl Notifier, notified: &Mutex<Vec<u32>>) {
    let is_known = notified.lock().expect("no panic").contains(&7);
    if !is_known {
        notifier.send(7).await;
        notified.lock().expect("no panic").push(7);
    }
}

/// Two callers at the same time: how many notifications were sent.
async fn two_callers(notifier: impl Notifier) -> usize {
    let notified = Mutex::default();
    tokio::join!(
        notify_once(&notifier, &notified),
        notify_once(&notifier, &notified)
    );
    SENT.swap(0, SeqCst)
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let sent = two_callers(AtOnce).await;
    println!("a fake that answers at once: {sent} notification");
    assert_eq!(sent, 1);
    let start = Instant::now();
    let sent = two_callers(Slow).await;
    println!("a fake that waits: {sent} notifications");
    assert_eq!(sent, 2);
    assert_eq!(start.elapsed(), Duration::from_secs(1));
}
// ANCHOR_END: all
