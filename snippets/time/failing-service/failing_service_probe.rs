// ANCHOR: all
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

// ANCHOR: broken
/// Half-open: one call at a time. Returns whether it was sent.
async fn probe(probing: &AtomicBool, request: impl Future) -> bool {
    if probing.swap(true, Relaxed) {
        return false;
    }
    request.await;
    probing.store(false, Relaxed);
    true
}
// ANCHOR_END: broken

// ANCHOR: fixed
async fn probe_with_permit(permits: &Semaphore, request: impl Future) -> bool {
    let Ok(_permit) = permits.try_acquire() else { return false };
    request.await;
    true
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    // The carrier works, and takes two seconds. The first caller has one.
    let request = || sleep(2 * SECOND);

    let probing = AtomicBool::default();
    let first = timeout(SECOND, probe(&probing, request()));
    assert!(first.await.is_err());
    let mut refused = 0;
    for _minute in 0..24 * 60 {
        refused += u32::from(!probe(&probing, request()).await);
        sleep(60 * SECOND).await;
    }
    println!("a flag: {refused} of 1440 calls are refused");
    assert_eq!(refused, 24 * 60);

    let permits = Semaphore::new(1);
    let first = timeout(SECOND, probe_with_permit(&permits, request()));
    assert!(first.await.is_err());
    let two = [(); 2].map(|()| probe_with_permit(&permits, request()));
    let sent = futures::future::join_all(two).await;
    println!("a permit: the next call is sent: {}", sent[0]);
    assert_eq!(sent, [true, false]);
}
// ANCHOR_END: all
