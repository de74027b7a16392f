// ANCHOR: all
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use anyhow::Context;
use futures::FutureExt;
use tokio::runtime::{Builder, Handle};
use tokio::time::sleep;

/// A blocking job that waits for a timer of the runtime.
fn wait(time: Duration, begun: Sender<()>) -> Duration {
    Handle::current().block_on(async {
        let timer = sleep(time);
        begun.send(()).expect("main waits");
        timer.await;
        time
    })
}

fn main() -> anyhow::Result<()> {
    // Broken: the runtime is dropped, as at the end of `main`, and the timer
    // with it.
    let runtime = Builder::new_current_thread().enable_time().build()?;
    let (begun, has_begun) = channel();
    let hour = Duration::from_secs(3600);
    let job = runtime.spawn_blocking(move || wait(hour, begun));
    has_begun.recv()?;
    drop(runtime);
    let ended = job.now_or_never().context("the runtime has waited")?;
    let panic = ended.expect_err("a panic").into_panic();
    let text = panic.downcast_ref::<String>().context("a text")?;
    println!("{text}");
    assert!(text.ends_with("found, but it is being shutdown."));

    // Fixed: the handle is awaited before the runtime ends.
    let runtime = Builder::new_current_thread().enable_time().build()?;
    let (begun, _has_begun) = channel();
    let moment = Duration::from_millis(10);
    let job = runtime.spawn_blocking(move || wait(moment, begun));
    let waited = runtime.block_on(job)?;
    println!("awaited: {waited:?}");
    assert_eq!(waited, moment);
    Ok(())
}
// ANCHOR_END: all
