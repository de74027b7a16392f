// ANCHOR: all
use std::future::Future;
use std::io;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::task::yield_now;

type Count = Arc<Mutex<u32>>;

#[expect(clippy::await_holding_lock, reason = "this is what goes wrong")]
// ANCHOR: broken
async fn count_and_store(parcels: Count) {
    let mut count = parcels.lock().expect("never poisoned");
    *count += 1;
    store().await;
}
// ANCHOR_END: broken

// ANCHOR: fixed
async fn count_then_store(parcels: Count) {
    *parcels.lock().expect("never poisoned") += 1;
    store().await;
}
// ANCHOR_END: fixed

static STORED: AtomicU32 = AtomicU32::new(0);

async fn store() {
    yield_now().await;
    STORED.fetch_add(1, Relaxed);
}

/// Stores two parcels on one thread. An error if that does not end in time.
fn two_parcels<F: Future + 'static>(
    store: fn(Count) -> F,
    limit: Duration,
) -> Result<u32, RecvTimeoutError> {
    let (done_tx, done_rx) = channel();
    thread::spawn(move || {
        let parcels = Count::default();
        let two = async {
            tokio::join!(store(parcels.clone()), store(parcels.clone()))
        };
        Builder::new_current_thread().build()?.block_on(two);
        let count = *parcels.lock().expect("never poisoned");
        done_tx.send(count).map_err(io::Error::other)
    });
    done_rx.recv_timeout(limit)
}

fn main() {
    let result = two_parcels(count_and_store, Duration::from_millis(200));
    println!("held across the await: {result:?}");
    // The thread waits for itself, and ends with the program.
    assert_eq!(result, Err(RecvTimeoutError::Timeout));
    assert_eq!(STORED.load(Relaxed), 0);

    let result = two_parcels(count_then_store, Duration::from_secs(30));
    println!("released before the await: {result:?}");
    assert_eq!(result, Ok(2));
    assert_eq!(STORED.load(Relaxed), 2);
}
// ANCHOR_END: all
