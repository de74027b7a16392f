// ANCHOR: all
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::pin::pin;

use futures::FutureExt;
use tokio::sync::mpsc;
use tokio::task::{LocalSet, spawn_local};
use tokio::time::{Duration, interval};

tokio::task_local! {
    static BIKE: &'static str;
}

async fn repair() -> &'static str {
    "bike"
}

/// Prints the panic's text, which is the one expected.
fn panics<T>(expected: &str, run: impl FnOnce() -> T) {
    let panic = catch_unwind(AssertUnwindSafe(run)).map(drop).unwrap_err();
    let text = match panic.downcast::<&str>() {
        Ok(text) => text.to_string(),
        Err(panic) => *panic.downcast::<String>().expect("a text"),
    };
    println!("{text}");
    assert_eq!(text, expected);
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    panic::set_hook(Box::new(|_| {})); // the texts are printed above

    // Awaited once more, in a loop around `select!` for example. Mended: a
    // fused future waits for ever when it has ended.
    let mut bike = pin!(repair());
    assert_eq!(bike.as_mut().await, "bike");
    let text = "`async fn` resumed after completion";
    panics(text, || bike.as_mut().now_or_never());
    let mut task = tokio::spawn(repair());
    assert_eq!((&mut task).await?, "bike");
    let text = "JoinHandle polled after completion";
    panics(text, || (&mut task).now_or_never());
    let mut bike = pin!(repair().fuse());
    assert_eq!(bike.as_mut().await, "bike");
    assert_eq!(bike.as_mut().now_or_never(), None);

    // Every pattern of a `select!` has failed. Mended: an `else`.
    let (door, mut bikes) = mpsc::channel::<&str>(1);
    drop(door);
    let text = "all branches are disabled and there is no else branch";
    let next = async {
        tokio::select! { Some(bike) = bikes.recv() => bike }
    };
    panics(text, || next.now_or_never());
    let next = tokio::select! {
        Some(bike) = bikes.recv() => bike,
        else => "closed",
    };
    assert_eq!(next, "closed");

    // In a task that has not inherited it. Mended: a scope of its own.
    let text =
        "cannot access a task-local storage value without setting it first";
    BIKE.scope("red", async {
        let task = tokio::spawn(async { panics(text, || BIKE.get()) });
        task.await?;
        let task = tokio::spawn(BIKE.scope(BIKE.get(), async { BIKE.get() }));
        assert_eq!(task.await?, "red");
        anyhow::Ok(())
    })
    .await?;

    // A task that stays on its thread. Mended: in a LocalSet.
    let text = "`spawn_local` called from outside of a `task::LocalSet` or \
                `runtime::LocalRuntime`";
    panics(text, || spawn_local(repair()));
    let local = LocalSet::new();
    let task = local.run_until(async { spawn_local(repair()).await });
    assert_eq!(task.await?, "bike");

    // Nought of something.
    panics("mpsc bounded channel requires buffer > 0", || {
        mpsc::channel::<&str>(0)
    });
    panics("`period` must be non-zero.", || interval(Duration::ZERO));
    Ok(())
}
// ANCHOR_END: all
