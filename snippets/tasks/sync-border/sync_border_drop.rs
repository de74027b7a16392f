// ANCHOR: all
use std::panic;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::Result;
use futures::executor;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinHandle;
use tokio::time::sleep;

const MS: Duration = Duration::from_millis(1);

async fn track() -> &'static str {
    "in transit"
}

/// Code that makes a runtime for a task.
fn start() -> Result<(Runtime, JoinHandle<&'static str>)> {
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    let task = runtime.spawn(track());
    Ok((runtime, task))
}

// ANCHOR: broken
async fn drops() -> Result<&'static str> {
    let (_runtime, task) = start()?;
    Ok(task.await?) // the end of the function drops the runtime
}
// ANCHOR_END: broken

// ANCHOR: fixed
async fn shuts_down() -> Result<&'static str> {
    let (runtime, task) = start()?;
    let status = task.await;
    runtime.shutdown_background();
    Ok(status?)
}
// ANCHOR_END: fixed

/// Ends a runtime that has two blocking jobs: one waits for a channel, and one
/// for a timer. Returns whether the end waits for the first.
fn ends(end: fn(Runtime)) -> Result<bool> {
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    let (started_tx, started_rx) = mpsc::channel();
    let (go_tx, go_rx) = mpsc::channel();
    let (ended_tx, ended_rx) = mpsc::channel();
    let timer_tx = started_tx.clone();
    let job = runtime.spawn_blocking(move || {
        _ = started_tx.send(());
        go_rx.recv()
    });
    let timer = runtime.spawn_blocking(move || {
        let wait = async {
            let hour = sleep(3600 * 1000 * MS);
            _ = timer_tx.send(());
            hour.await;
        };
        Handle::current().block_on(wait);
    });
    started_rx.recv()?;
    started_rx.recv()?;
    let owner = thread::spawn(move || {
        end(runtime);
        ended_tx.send(())
    });
    // Its runtime has ended, so its timer is gone.
    let timer = executor::block_on(timer).expect_err("a panic");
    let text = *timer.into_panic().downcast::<String>().expect("a text");
    assert!(text.ends_with("but it is being shutdown."), "{text}");
    let waits = ended_rx.recv_timeout(200 * MS).is_err();
    go_tx.send(())?;
    executor::block_on(job)??;
    owner.join().expect("no panic").ok();
    Ok(waits)
}

fn main() -> Result<()> {
    panic::set_hook(Box::new(|_| {})); // the text is printed below
    let outer = Builder::new_current_thread().build()?;
    let panic = outer.block_on(outer.spawn(drops())).expect_err("a panic");
    let panic = panic.try_into_panic()?;
    let text = panic.downcast::<&str>().expect("a text");
    let text = text.split('.').next().unwrap_or_default();
    println!("dropped: {text}");
    assert!(text.starts_with("Cannot drop a runtime in a context"));
    let status = outer.block_on(shuts_down())?;
    println!("shutdown_background: {status}");
    assert_eq!(status, "in transit");

    for (case, end, waits, panics) in [
        ("drop", drop as fn(Runtime), true, true),
        (
            "shutdown_timeout",
            |runtime| runtime.shutdown_timeout(MS),
            false,
            true,
        ),
        ("shutdown_background", Runtime::shutdown_background, false, false),
    ] {
        assert_eq!(ends(end)?, waits);
        let until = if waits { "after the job" } else { "before the job" };
        let task = outer.spawn(async move {
            end(Runtime::new()?);
            Ok(())
        });
        let result: Result<Result<()>, _> = outer.block_on(task);
        assert_eq!(result.is_err(), panics);
        let result = if panics { "panics" } else { "works" };
        println!("{case}: ends {until}, in an async function it {result}");
    }
    Ok(())
}
// ANCHOR_END: all
