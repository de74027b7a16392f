// ANCHOR: all
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::Mutex;
use tokio::task::{block_in_place, spawn_blocking};
use tokio::time::interval;

async fn repair() -> &'static str {
    interval(Duration::from_secs(60)).tick().await; // the first is at once
    "bike"
}

/// Prints the panic's text, which is the one expected.
fn panics<T>(expected: &str, run: impl FnOnce() -> T) {
    let panic = catch_unwind(AssertUnwindSafe(run)).map(drop).unwrap_err();
    let text = match panic.downcast::<&str>() {
        Ok(text) => text.to_string(),
        Err(panic) => *panic.downcast::<String>().expect("a text"),
    };
    println!("{text}\n");
    assert!(text.starts_with(expected), "{text}");
}

fn main() -> anyhow::Result<()> {
    panic::set_hook(Box::new(|_| {})); // the texts are printed above

    // Outside of a runtime, or in another's. Mended: use its handle, or `enter` it.
    let text = "there is no reactor running, must be called from the context \
                of a Tokio 1.x runtime";
    panics(text, || tokio::spawn(repair()));
    panics(text, || futures::executor::block_on(repair()));
    let shop = Runtime::new()?;
    assert_eq!(shop.block_on(shop.spawn(repair()))?, "bike");
    let entered = shop.enter();
    assert_eq!(shop.block_on(tokio::spawn(repair()))?, "bike");
    drop(entered);

    // A runtime with parts missing. Mended: enable_all.
    let bare = Builder::new_current_thread().build()?;
    let text = "A Tokio 1.x context was found, but timers are disabled.";
    panics(text, || bare.block_on(repair()));
    let text = "A Tokio 1.x context was found, but IO is disabled.";
    panics(text, || bare.block_on(TcpListener::bind("127.0.0.1:0")));
    let whole = Builder::new_current_thread().enable_all().build()?;
    assert_eq!(whole.block_on(repair()), "bike");

    // Waiting for a future in a function that is called by one. Mended: make
    // it async, or call it on a thread that may block.
    shop.block_on(async {
        let handle = Handle::current();
        let text = "Cannot start a runtime from within a runtime.";
        panics(text, || handle.block_on(repair()));
        let blocks = spawn_blocking(move || handle.block_on(repair()));
        assert_eq!(blocks.await?, "bike");
        anyhow::Ok(())
    })?;

    // The same by a method whose name begins with `blocking_`.
    let stand = Mutex::new("bike");
    shop.block_on(async {
        let text = "Cannot block the current thread from within a runtime.";
        panics(text, || stand.blocking_lock().len());
        assert_eq!(*stand.lock().await, "bike");
    });

    // block_in_place hands the thread's other tasks on to another one.
    whole.block_on(async {
        let text = "can call blocking only when running on the multi-threaded";
        panics(text, || block_in_place(|| "bike"));
    });
    shop.block_on(async { assert_eq!(block_in_place(|| "bike"), "bike") });

    // A runtime dropped in a future: it would wait. Mended: do not wait.
    shop.block_on(async {
        let text = "Cannot drop a runtime in a context where blocking is not";
        panics(text, || Builder::new_current_thread().build().map(drop));
        Builder::new_current_thread().build()?.shutdown_background();
        anyhow::Ok(())
    })
}
// ANCHOR_END: all
