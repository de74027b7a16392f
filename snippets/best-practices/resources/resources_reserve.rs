// ANCHOR: all
use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use tokio::task::yield_now;

/// The keys of the reservations that the carrier has.
static RESERVED: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());
static PAID: AtomicU32 = AtomicU32::new(0);

async fn reserve(key: u32) {
    yield_now().await; // the request is sent
    RESERVED.lock().expect("no panic").insert(key);
    yield_now().await; // the response is received
}

async fn pay() {
    yield_now().await;
    PAID.fetch_add(1, Relaxed);
}

// ANCHOR: fixed_guard
/// Releases a key. If it is not reserved, that does nothing.
struct Reservation(u32);

impl Drop for Reservation {
    fn drop(&mut self) {
        RESERVED.lock().expect("no panic").remove(&self.0);
    }
}
// ANCHOR_END: fixed_guard

// ANCHOR: broken
async fn guard_last(key: u32) -> Reservation {
    reserve(key).await;
    pay().await;
    Reservation(key)
}
// ANCHOR_END: broken

// ANCHOR: fixed
async fn guard_first(key: u32) -> Reservation {
    let reservation = Reservation(key);
    reserve(key).await;
    pay().await;
    reservation
}
// ANCHOR_END: fixed

/// Drops the work for key 0 before its first poll, for key 1 after it, and so
/// on, until it completes. The keys that are reserved, though nothing has them.
async fn left_by(work: impl AsyncFn(u32) -> Reservation) -> Vec<u32> {
    for key in 0.. {
        let mut work = pin!(work(key));
        for _ in 0..key {
            if futures::poll!(&mut work).is_ready() {
                let reserved = RESERVED.lock().expect("no panic");
                return reserved.iter().copied().collect();
            }
        }
    }
    unreachable!("it completes")
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let left = left_by(guard_last).await;
    println!("guard last: {left:?} stay reserved");
    assert_eq!(left, [2, 3]);

    RESERVED.lock().expect("no panic").clear();
    PAID.store(0, Relaxed);
    let reservation = guard_first(7).await;
    assert_eq!(PAID.load(Relaxed), 1);
    assert!(RESERVED.lock().expect("no panic").contains(&7));
    drop(reservation);
    let left = left_by(guard_first).await;
    println!("guard first: {left:?} stay reserved");
    assert!(left.is_empty());
}
// ANCHOR_END: all
