// ANCHOR: all
use std::fmt::{Debug, Display};
use std::future::pending;
use std::sync::Mutex;
use std::{panic, time::Duration};

use tokio::sync::{Semaphore, broadcast, mpsc, oneshot};
use tokio::time::timeout;

/// Checks what `unwrap` prints and what a log has, and prints both.
fn is<E: Debug + Display>(error: E, debug: &str, display: &str) {
    println!("{debug}: {display}");
    let text = (format!("{error:?}"), error.to_string());
    assert_eq!(text, (debug.to_owned(), display.to_owned()));
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    panic::set_hook(Box::new(|_| {})); // its text is printed below

    // A timeout has expired.
    let late = timeout(Duration::ZERO, pending::<()>()).await.unwrap_err();
    is(late, "Elapsed(())", "deadline has elapsed");

    // A task was aborted, or its runtime has ended. Another one has panicked.
    let task = tokio::spawn(pending::<()>());
    task.abort();
    let end = task.await.unwrap_err();
    let id = end.id();
    let debug = format!("JoinError::Cancelled(Id({id}))");
    is(end, &debug, &format!("task {id} was cancelled"));
    let task = tokio::spawn(async { panic!("no label") });
    let end = task.await.unwrap_err();
    let id = end.id();
    let debug = format!("JoinError::Panic(Id({id}), \"no label\", ...)");
    let text = format!("task {id} panicked with message \"no label\"");
    is(end, &debug, &text);

    // A channel is full. Then its receiver is dropped: the error has the value.
    let (tx, rx) = mpsc::channel(1);
    tx.try_send(7)?;
    let full = tx.try_send(8).unwrap_err();
    is(full, "\"Full(..)\"", "no available capacity");
    drop(rx);
    let closed = tx.send(8).await.unwrap_err();
    assert_eq!(closed.0, 8);
    is(closed, "SendError { .. }", "channel closed");

    // A sender is dropped without a reply.
    let (reply_tx, reply_rx) = oneshot::channel::<()>();
    drop(reply_tx);
    is(reply_rx.await.unwrap_err(), "RecvError(())", "channel closed");

    // A receiver has missed values, and goes on with the oldest that is kept.
    let (tx, mut rx) = broadcast::channel(1);
    for event in 1..=3 {
        tx.send(event)?;
    }
    let missed = rx.recv().await.unwrap_err();
    is(missed, "Lagged(2)", "channel lagged by 2");
    assert_eq!(rx.recv().await?, 3);
    drop(tx);
    is(rx.recv().await.unwrap_err(), "Closed", "channel closed");

    // A semaphore is closed.
    let semaphore = Semaphore::new(1);
    semaphore.close();
    let closed = semaphore.acquire().await.unwrap_err();
    is(closed, "AcquireError(())", "semaphore closed");

    // A panic with the lock held. The error has the guard.
    let parcels = Mutex::new(7);
    let _ = panic::catch_unwind(|| {
        let _guard = parcels.lock();
        panic!("no label");
    });
    let text = "poisoned lock: another task failed inside";
    let poisoned = parcels.lock().unwrap_err();
    assert_eq!(**poisoned.get_ref(), 7);
    is(poisoned, "PoisonError { .. }", text);
    Ok(())
}
// ANCHOR_END: all
