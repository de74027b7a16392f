// ANCHOR: all
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use futures::FutureExt;
use tokio::sync::mpsc;
use tokio::task::{LocalSet, spawn_local};
use tokio::time::interval;

tokio::task_local! {
    static REQUEST_ID: u32;
}

/// Checks the text of the panic, and prints it.
fn panics<T>(expected: &str, run: impl FnOnce() -> T) {
    let panic = catch_unwind(AssertUnwindSafe(run)).map(drop).unwrap_err();
    let text = panic.downcast_ref::<&str>().map(|text| text.to_string());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    let text = text.expect("a text");
    println!("{text}");
    assert_eq!(text, expected);
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    panic::set_hook(Box::new(|_| {})); // the texts are printed above

    // A handle that was awaited is polled again. Fixed: `fuse` it.
    let mut task = tokio::spawn(async { 7 });
    assert_eq!((&mut task).await?, 7);
    let text = "JoinHandle polled after completion";
    panics(text, || (&mut task).now_or_never());
    let mut task = tokio::spawn(async { 7 }).fuse();
    assert_eq!((&mut task).await?, 7);
    assert!((&mut task).now_or_never().is_none());

    // In a task that has not inherited the value. Fixed: a scope of its own.
    let text =
        "cannot access a task-local storage value without setting it first";
    let work = REQUEST_ID.scope(7, async {
        tokio::spawn(async { panics(text, || REQUEST_ID.get()) }).await?;
        let id = async { REQUEST_ID.get() };
        tokio::spawn(REQUEST_ID.scope(REQUEST_ID.get(), id)).await
    });
    assert_eq!(work.await?, 7);

    // A task that stays on its thread. Fixed: in a LocalSet.
    let text = "`spawn_local` called from outside of a `task::LocalSet` or \
                `runtime::LocalRuntime`";
    panics(text, || spawn_local(async { 7 }));
    let work = async { spawn_local(async { 7 }).await };
    assert_eq!(LocalSet::new().run_until(work).await?, 7);

    // A capacity of 0, a period of 0.
    let text = "mpsc bounded channel requires buffer > 0";
    panics(text, || mpsc::channel::<u32>(0));
    panics("`period` must be non-zero.", || interval(Duration::ZERO));
    Ok(())
}
// ANCHOR_END: all
