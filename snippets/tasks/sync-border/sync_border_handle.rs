// ANCHOR: all
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, RecvTimeoutError::Timeout};
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Handle};
use tokio::time::sleep;

const MS: Duration = Duration::from_millis(1);
const LONG: Duration = Duration::from_secs(30);

/// A call, which needs the runtime's timers, on another thread.
fn call(handle: &Handle) -> mpsc::Receiver<()> {
    let handle = handle.clone();
    let (reply_tx, reply_rx) = mpsc::channel();
    thread::spawn(move || {
        handle.block_on(async { sleep(MS).await });
        _ = reply_tx.send(());
    });
    reply_rx
}

fn main() -> anyhow::Result<()> {
    // ANCHOR: broken
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let reply_rx = call(runtime.handle());
    let reply = reply_rx.recv_timeout(Duration::from_millis(200));
    // ANCHOR_END: broken
    println!("current_thread: {reply:?}");
    assert_eq!(reply, Err(Timeout));

    // Another thread drives it.
    let (ended_tx, ended_rx) = tokio::sync::oneshot::channel();
    let driver = thread::spawn(move || runtime.block_on(ended_rx));
    let reply = reply_rx.recv_timeout(LONG);
    println!("current_thread, within block_on: {reply:?}");
    assert_eq!(reply, Ok(()));
    assert_eq!(ended_tx.send(()), Ok(()));
    driver.join().expect("no panic")?;

    // ANCHOR: fixed
    let runtime =
        Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let reply_rx = call(runtime.handle());
    // ANCHOR_END: fixed
    assert_eq!(runtime.metrics().num_workers(), 1);
    let reply = reply_rx.recv_timeout(LONG);
    println!("multi_thread: {reply:?}");
    assert_eq!(reply, Ok(()));

    // A thread still waits for a timer when the runtime ends.
    let handle = runtime.handle().clone();
    let (entered_tx, entered_rx) = mpsc::channel();
    let wait = AssertUnwindSafe(move || {
        handle.block_on(async {
            entered_tx.send(()).expect("it is read below");
            sleep(LONG).await;
        });
    });
    let waits = thread::spawn(|| catch_unwind(wait));
    entered_rx.recv()?;
    drop(runtime);
    let panic = waits.join().expect("it is caught").expect_err("a panic");
    let text = panic.downcast::<String>().expect("a text");
    println!("the runtime ends: {text}");
    assert!(text.contains("is being shutdown"));
    Ok(())
}
// ANCHOR_END: all
