// ANCHOR: all
use std::future::ready;
use std::mem::take;
use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::{AbortHandle, yield_now};
use tokio::time::{sleep, timeout};

const MINUTE: Duration = Duration::from_secs(60);
static LOG: Mutex<Vec<&str>> = Mutex::new(Vec::new());

fn log(what: &'static str) {
    LOG.lock().expect("no panic").push(what);
}

fn logged() -> Vec<&'static str> {
    take(&mut LOG.lock().expect("no panic"))
}

/// A connection to a carrier.
struct Conn;

impl Drop for Conn {
    fn drop(&mut self) {
        log("closed");
    }
}

/// Tracks a parcel, in ten minutes.
async fn track(conn: Conn) -> u32 {
    log("begun");
    sleep(10 * MINUTE).await;
    log("tracked");
    drop(conn);
    7
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: waiting
    let task = tokio::spawn(track(Conn));
    sleep(MINUTE).await;
    task.abort();
    assert_eq!(logged(), ["begun"]); // `abort` does not wait
    let error = task.await.expect_err("it was aborted");
    assert!(error.is_cancelled());
    assert_eq!(logged(), ["closed"]); // `Drop` ran, the next line did not
    // ANCHOR_END: waiting
    println!("at an await: dropped there");

    let task = tokio::spawn(track(Conn));
    task.abort();
    assert!(task.await.is_err_and(|error| error.is_cancelled()));
    assert_eq!(logged(), ["closed"], "what was moved into it is dropped");
    println!("before it begins: no line of it runs");

    let task = tokio::spawn(track(Conn));
    sleep(11 * MINUTE).await;
    task.abort();
    assert_eq!(task.await?, 7);
    assert_eq!(logged(), ["begun", "tracked", "closed"]);
    println!("after its end: you get its value");

    // It aborts itself: as if another thread did it while it computes.
    let (handle_tx, handle) = oneshot::channel::<AbortHandle>();
    let task = tokio::spawn(async move {
        handle.await?.abort();
        log("computed");
        yield_now().await;
        log("tracked");
        anyhow::Ok(7)
    });
    assert!(handle_tx.send(task.abort_handle()).is_ok());
    assert!(task.await.is_err_and(|error| error.is_cancelled()));
    assert_eq!(logged(), ["computed"]);
    println!("while it computes: dropped at its next await that waits");

    let (handle_tx, handle) = oneshot::channel::<AbortHandle>();
    let task = tokio::spawn(async move {
        handle.await?.abort();
        ready(()).await; // does not wait
        anyhow::Ok(7)
    });
    assert!(handle_tx.send(task.abort_handle()).is_ok());
    assert_eq!(task.await??, 7);
    println!("no await waits any more: you get its value");

    let waits = timeout(MINUTE, tokio::spawn(track(Conn)));
    assert!(waits.await.is_err());
    sleep(10 * MINUTE).await;
    assert_eq!(logged(), ["begun", "tracked", "closed"]);
    println!("the task that awaits it is cancelled: it runs on");
    Ok(())
}
// ANCHOR_END: all
