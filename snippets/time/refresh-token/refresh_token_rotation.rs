// ANCHOR: all
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

/// The office takes this voucher, and after a theft none.
struct Office(std::sync::Mutex<Option<u32>>);

impl Office {
    /// The voucher for the next pass, unless this one has been used.
    async fn stamp(&self, voucher: u32) -> Option<u32> {
        sleep(5 * SECOND).await; // to the office
        let next = {
            let mut taken = self.0.lock().expect("never poisoned");
            *taken = taken.filter(|t| *t == voucher).map(|t| t + 1);
            *taken
        };
        sleep(5 * SECOND).await; // and back
        next
    }
}

fn office() -> Arc<Office> {
    Arc::new(Office(std::sync::Mutex::new(Some(1))))
}

// ANCHOR: fixed
/// Fixed: one voucher in one place, and a task that hands it in.
async fn fetch(
    office: Arc<Office>,
    voucher: Arc<Mutex<u32>>,
    used: u32,
) -> Option<u32> {
    let fetching = tokio::spawn(async move {
        let mut voucher = voucher.lock().await;
        if *voucher == used {
            *voucher = office.stamp(used).await?;
        }
        Some(*voucher)
    });
    fetching.await.expect("no panic, and nobody aborts it")
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    // ANCHOR: broken
    // Broken: two hand in the same one, and the second is a thief.
    let at = office();
    let second = async || {
        sleep(SECOND).await;
        at.stamp(1).await
    };
    let both = tokio::join!(at.stamp(1), second());
    let afterwards = at.stamp(2).await;
    println!("two at once: {both:?}, then {afterwards:?}");
    assert_eq!((both, afterwards), ((Some(2), None), None));

    // Broken: cut off on the way back, and the new voucher is lost.
    let at = office();
    assert!(timeout(7 * SECOND, at.stamp(1)).await.is_err());
    let afterwards = at.stamp(1).await;
    println!("cut off: then {afterwards:?}");
    assert_eq!(afterwards, None);
    // ANCHOR_END: broken

    let (at, voucher) = (office(), Arc::new(Mutex::new(1)));
    let fetch = |used| fetch(at.clone(), voucher.clone(), used);
    let both = tokio::join!(fetch(1), fetch(1));
    assert!(timeout(7 * SECOND, fetch(2)).await.is_err());
    let afterwards = fetch(2).await;
    println!("in one place: {both:?}, then {afterwards:?}");
    assert_eq!((both, afterwards), ((Some(2), Some(2)), Some(3)));
}
// ANCHOR_END: all
