// ANCHOR: all
use std::env::{args, current_exe};
use std::future::pending;
use std::os::unix::process::ExitStatusExt;
use std::sync::Arc;
use std::thread;

use futures::future::{BoxFuture, FutureExt};
use rustix::process::{Resource, Rlimit, Signal, setrlimit};
use tokio::process::Command;
use tokio::task::yield_now;
use tokio_util::task::AbortOnDropHandle;

/// How many boxes are within each other.
const DEPTH: u32 = 100_000;

// ANCHOR: broken
async fn open(levels: u32) -> u32 {
    match levels {
        0 => 0,
        _ => 1 + Box::pin(open(levels - 1)).await,
    }
}
// ANCHOR_END: broken

// ANCHOR: fixed
fn open_in_tasks(levels: u32) -> BoxFuture<'static, u32> {
    let opened = async move {
        if levels == 0 {
            return 0;
        }
        let task = tokio::spawn(open_in_tasks(levels - 1));
        1 + AbortOnDropHandle::new(task).await.expect("no panic")
    };
    opened.boxed()
}
// ANCHOR_END: fixed

/// The same, but the last one waits, and each holds a clone.
fn wait_in_tasks(item: u32, clone: Arc<()>) -> BoxFuture<'static, ()> {
    let waits = async move {
        match item {
            0 => pending().await,
            _ => {
                let task = tokio::spawn(wait_in_tasks(item - 1, clone.clone()));
                AbortOnDropHandle::new(task).await.expect("no panic");
            }
        }
        drop(clone);
    };
    waits.boxed()
}

/// A recursion that does not end, `depth` futures deep.
async fn wait(depth: u32) {
    match depth {
        0 => pending().await,
        _ => Box::pin(wait(depth - 1)).await,
    }
}

/// Polls it where there is room on the stack, and drops it where there is not.
fn drop_elsewhere() -> anyhow::Result<()> {
    let deep = thread::Builder::new().stack_size(1 << 30).spawn(|| {
        let mut deep = Box::pin(wait(DEPTH));
        assert!(deep.as_mut().now_or_never().is_none());
        deep
    })?;
    let deep = deep.join().expect("room");
    thread::spawn(|| drop(deep)).join().expect("no panic");
    Ok(())
}

#[tokio::main(worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    // An overflow ends the process, so it has one of its own.
    if let Some(mode) = args().nth(1) {
        let none = Rlimit { current: Some(0), maximum: Some(0) };
        setrlimit(Resource::Core, none)?; // no core file
        match mode.as_str() {
            "poll" => drop(tokio::spawn(open(DEPTH)).await?),
            _ => drop_elsewhere()?,
        }
        unreachable!("it has an end");
    }
    for mode in ["poll", "drop"] {
        let mut child = Command::new(current_exe()?);
        let end = child.arg(mode).kill_on_drop(true).output().await?;
        let said = String::from_utf8(end.stderr)?;
        assert_eq!(end.status.signal(), Some(Signal::ABORT.as_raw()), "{said}");
        assert!(said.contains("overflowed its stack"), "{said}");
        println!("recursion, {mode}: stack overflow, SIGABRT");
    }
    let levels = open_in_tasks(DEPTH).await;
    println!("a task for each: {levels} levels");
    assert_eq!(levels, DEPTH);

    let clone = Arc::new(());
    let caller = tokio::spawn(wait_in_tasks(100, clone.clone()));
    while Arc::strong_count(&clone) < 102 {
        yield_now().await;
    }
    caller.abort();
    while Arc::strong_count(&clone) > 1 {
        yield_now().await;
    }
    println!("cancelled: no task is left");
    Ok(())
}
// ANCHOR_END: all
