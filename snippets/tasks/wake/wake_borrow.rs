// ANCHOR: all
use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::watch;
use tokio::task::yield_now;

static NOTIFIED: AtomicU32 = AtomicU32::new(0);

async fn notify(_status: &str) {
    yield_now().await;
    NOTIFIED.fetch_add(1, Relaxed);
}

async fn broken(status_rx: watch::Receiver<String>) {
    // ANCHOR: broken
    let status = status_rx.borrow();
    notify(&status).await;
    // ANCHOR_END: broken
}

async fn fixed(status_rx: watch::Receiver<String>) {
    // ANCHOR: fixed
    let status = status_rx.borrow().clone();
    notify(&status).await;
    // ANCHOR_END: fixed
}

/// A task notifies, and a second one scans, on one thread.
fn run<F: Future<Output = ()> + 'static>(
    notify: fn(watch::Receiver<String>) -> F,
    limit: Duration,
) -> Result<String, RecvTimeoutError> {
    let (end_tx, end_rx) = channel();
    thread::spawn(move || {
        let runtime = Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let (status_tx, status_rx) = watch::channel("accepted".to_owned());
            tokio::join!(notify(status_rx), async {
                status_tx.send_replace("delivered".to_owned());
            });
            let status = status_tx.borrow().clone();
            end_tx.send(status)
        })
    });
    end_rx.recv_timeout(limit)
}

fn main() {
    let end = run(broken, Duration::from_millis(200));
    println!("a borrow across an await: {end:?}");
    assert_eq!(end, Err(RecvTimeoutError::Timeout));

    let end = run(fixed, Duration::from_secs(30));
    println!("a clone: {end:?}");
    assert_eq!(end.as_deref(), Ok("delivered"));
    assert_eq!(NOTIFIED.load(Relaxed), 1);
}
// ANCHOR_END: all
