// ANCHOR: all
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::time::interval;

async fn track() -> &'static str {
    interval(Duration::from_secs(60)).tick().await; // the first is at once
    "in transit"
}

/// Checks the text of the panic, and prints it.
fn panics<T>(expected: &str, run: impl FnOnce() -> T) {
    let panic = catch_unwind(AssertUnwindSafe(run)).map(drop).unwrap_err();
    let text = panic.downcast_ref::<&str>().map(|text| text.to_string());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    let text = text.expect("a text");
    println!("{text}");
    assert!(text.starts_with(expected), "{text}");
}

fn main() -> anyhow::Result<()> {
    panic::set_hook(Box::new(|_| {})); // the texts are printed above

    // On a thread without a runtime, or in the runtime of another crate.
    let text = "there is no reactor running, must be called from the context \
                of a Tokio 1.x runtime";
    panics(text, || tokio::spawn(track()));
    panics(text, || futures::executor::block_on(track()));
    // Fixed: call a method of the runtime, or enter the runtime.
    let runtime = Runtime::new()?;
    assert_eq!(runtime.block_on(runtime.spawn(track()))?, "in transit");
    let entered = runtime.enter();
    let task = tokio::spawn(track());
    drop(entered);
    assert_eq!(futures::executor::block_on(task)?, "in transit");

    // A runtime with parts missing.
    let runtime = Builder::new_current_thread().build()?;
    let text = "A Tokio 1.x context was found, but timers are disabled.";
    panics(text, || runtime.block_on(track()));
    let text = "A Tokio 1.x context was found, but IO is disabled.";
    panics(text, || runtime.block_on(TcpListener::bind("127.0.0.1:0")));
    // Fixed: enable_all.
    let runtime = Builder::new_current_thread().enable_all().build()?;
    assert_eq!(runtime.block_on(track()), "in transit");
    Ok(())
}
// ANCHOR_END: all
