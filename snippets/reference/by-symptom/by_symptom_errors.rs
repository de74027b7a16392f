// ANCHOR: all
use std::fmt::{Debug, Display};
use std::future::pending;
use std::sync::Mutex;
use std::{panic, time::Duration};

use tokio::sync::{Semaphore, broadcast, mpsc, oneshot};
use tokio::time::timeout;

/// What `unwrap` prints, and what a log has: both as expected.
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

    // A task was aborted, or its runtime has ended; or it has panicked.
    let task = tokio::spawn(pending::<()>());
    task.abort();
    let end = task.await.unwrap_err();
    let id = end.id();
    let debug = format!("JoinError::Cancelled(Id({id}))");
    is(end, &debug, &format!("task {id} was cancelled"));
    let task = tokio::spawn(async { panic!("no spokes") });
    let end = task.await.unwrap_err();
    let id = end.id();
    let debug = format!("JoinError::Panic(Id({id}), \"no spokes\", ...)");
    let text = format!("task {id} panicked with message \"no spokes\"");
    is(end, &debug, &text);

    // Nobody receives any more; what was sent is in the error.
    let (door, bikes) = mpsc::channel(1);
    door.try_send("red")?;
    let full = door.try_send("blue").unwrap_err();
    is(full, "\"Full(..)\"", "no available capacity");
    drop(bikes);
    let closed = door.send("blue").await.unwrap_err();
    assert_eq!(closed.0, "blue");
    is(closed, "SendError { .. }", "channel closed");

    // The sender was dropped without an answer: its task has failed, perhaps.
    let (answer, question) = oneshot::channel::<()>();
    drop(answer);
    is(question.await.unwrap_err(), "RecvError(())", "channel closed");

    // Slower than the channel is long. It goes on with the oldest it has.
    let (radio, mut news) = broadcast::channel(1);
    for day in 1..=3 {
        radio.send(day)?;
    }
    let missed = news.recv().await.unwrap_err();
    is(missed, "Lagged(2)", "channel lagged by 2");
    assert_eq!(news.recv().await?, 3);
    drop(radio);
    is(news.recv().await.unwrap_err(), "Closed", "channel closed");

    // Closed, as a sign that there is nothing more to do.
    let stands = Semaphore::new(1);
    stands.close();
    let closed = stands.acquire().await.unwrap_err();
    is(closed, "AcquireError(())", "semaphore closed");

    // Somebody has panicked with the lock in hand.
    let till = Mutex::new(7);
    let _ = panic::catch_unwind(|| {
        let _till = till.lock();
        panic!("no change");
    });
    let text = "poisoned lock: another task failed inside";
    let poisoned = till.lock().unwrap_err();
    assert_eq!(**poisoned.get_ref(), 7, "and what it left behind");
    is(poisoned, "PoisonError { .. }", text);
    Ok(())
}
// ANCHOR_END: all
