// ANCHOR: all
use std::future::Future;
use std::io;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::task::yield_now;

type Count = Arc<Mutex<u32>>;

// ANCHOR: broken
/// Broken: the guard lives until the end, so the lock is held while waiting.
#[expect(clippy::await_holding_lock, reason = "this is what goes wrong")]
async fn count_and_store(pages: Count) {
    let mut pages = pages.lock().expect("never poisoned");
    *pages += 1;
    yield_now().await; // stores the page
}
// ANCHOR_END: broken

// ANCHOR: fixed
/// Fixed: the guard is gone before the await.
async fn count_then_store(pages: Count) {
    *pages.lock().expect("never poisoned") += 1;
    yield_now().await; // stores the page
}
// ANCHOR_END: fixed

/// Stores two pages on one thread. An error if that is not over in time.
fn two_pages<F: Future + 'static>(
    store: fn(Count) -> F,
    limit: Duration,
) -> Result<u32, RecvTimeoutError> {
    let (done, is_done) = channel();
    thread::spawn(move || {
        let pages = Count::default();
        let both =
            async { tokio::join!(store(pages.clone()), store(pages.clone())) };
        Builder::new_current_thread().build()?.block_on(both);
        let pages = *pages.lock().expect("never poisoned");
        done.send(pages).map_err(io::Error::other)
    });
    is_done.recv_timeout(limit)
}

fn main() {
    let outcome = two_pages(count_and_store, Duration::from_millis(200));
    println!("held across the await:   {outcome:?}");
    // The thread waits for itself, and goes down with the program.
    assert_eq!(outcome, Err(RecvTimeoutError::Timeout));

    let outcome = two_pages(count_then_store, Duration::from_secs(30));
    println!("let go before the await: {outcome:?}");
    assert_eq!(outcome, Ok(2));
}
// ANCHOR_END: all
