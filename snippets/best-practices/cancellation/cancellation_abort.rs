// ANCHOR: all
use std::mem::take;
use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::{AbortHandle, yield_now};
use tokio::time::{sleep, timeout};

static LOG: Mutex<Vec<&str>> = Mutex::new(Vec::new());

fn log(what: &'static str) {
    LOG.lock().expect("never poisoned").push(what);
}

fn logged() -> Vec<&'static str> {
    take(&mut LOG.lock().expect("never poisoned"))
}

struct Shutter;

impl Drop for Shutter {
    fn drop(&mut self) {
        log("closed");
    }
}

async fn expose() -> u32 {
    let _shutter = Shutter;
    log("open");
    sleep(Duration::from_secs(600)).await;
    log("exposed");
    7
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: waiting
    let task = tokio::spawn(expose());
    yield_now().await; // lets it begin
    task.abort();
    assert_eq!(logged(), ["open"], "abort does not wait");
    let end = task.await.unwrap_err();
    assert!(end.is_cancelled());
    assert_eq!(logged(), ["closed"], "and now it has happened");
    println!("aborted at an await: Drop runs, the next line does not");
    // ANCHOR_END: waiting

    // ANCHOR: timeout
    let minute = Duration::from_secs(60);
    assert!(timeout(minute, expose()).await.is_err());
    assert_eq!(logged(), ["open", "closed"]);
    println!("timed out: the same");
    // ANCHOR_END: timeout

    // ANCHOR: before
    let task = tokio::spawn(expose());
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    assert!(logged().is_empty());
    let shutter = Shutter;
    let task = tokio::spawn(async move {
        log("never");
        drop(shutter);
    });
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    assert_eq!(logged(), ["closed"]);
    println!("aborted before it begins: nothing runs, and Drop does");
    // ANCHOR_END: before

    // ANCHOR: after
    let task = tokio::spawn(expose());
    sleep(Duration::from_secs(601)).await;
    task.abort();
    assert_eq!(task.await?, 7);
    assert_eq!(logged(), ["open", "exposed", "closed"]);
    println!("aborted when it has ended: the picture is there");
    // ANCHOR_END: after

    // ANCHOR: busy
    let (send, receive) = oneshot::channel::<AbortHandle>();
    let task = tokio::spawn(async {
        receive.await.expect("sent below").abort(); // itself
        log("still running");
        yield_now().await;
        log("never");
    });
    send.send(task.abort_handle()).expect("received above");
    assert!(task.await.unwrap_err().is_cancelled());
    assert_eq!(logged(), ["still running"]);
    println!("aborted while it computes: it runs on to its next wait");
    // ANCHOR_END: busy
    Ok(())
}
// ANCHOR_END: all
