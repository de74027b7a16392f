// ANCHOR: all
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::Result;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

async fn track(parcel: u32) -> Result<String> {
    sleep(Duration::from_millis(1)).await;
    Ok(format!("parcel {parcel} is in transit"))
}

/// A library's function. Its callback is sync.
fn render(status: fn(u32) -> Result<String>) -> Result<String> {
    Ok(format!("<p>{}</p>", status(7)?))
}

// ANCHOR: broken
fn status(parcel: u32) -> Result<String> {
    Handle::current().block_on(track(parcel))
}

async fn page_in_place() -> Result<String> {
    render(status) // it calls `status`, which panics
}
// ANCHOR_END: broken

// ANCHOR: fixed
async fn page() -> Result<String> {
    spawn_blocking(|| render(status)).await?
}
// ANCHOR_END: fixed

/// Prints the first sentence of the panic.
fn print<T>(case: &str, panic: thread::Result<T>, expected: &str) {
    let panic = panic.map(drop).expect_err("a panic");
    let text = panic.downcast::<String>().map(|text| *text);
    let text = text.unwrap_or_else(|panic| {
        panic.downcast::<&str>().expect("a text").to_string()
    });
    let text = text.split('.').next().unwrap_or_default();
    println!("{case}: {text}");
    assert_eq!(text, expected);
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    panic::set_hook(Box::new(|_| {})); // the texts are printed below

    let panic = tokio::spawn(page_in_place()).await;
    let panic = panic.expect_err("a panic").try_into_panic();
    let text = "Cannot start a runtime from within a runtime";
    print("in place", Err::<(), _>(panic?), text);

    let (reply_tx, reply_rx) = oneshot::channel();
    let receive = AssertUnwindSafe(|| reply_rx.blocking_recv());
    let text = "Cannot block the current thread from within a runtime";
    print("blocking_recv", catch_unwind(receive), text);
    assert!(reply_tx.send(7).is_err());

    let html = page().await?;
    println!("spawn_blocking: {html}");
    assert_eq!(html, "<p>parcel 7 is in transit</p>");

    let (started_tx, started_rx) = oneshot::channel();
    let (go_tx, go_rx) = oneshot::channel();
    let (ended_tx, ended_rx) = mpsc::channel();
    let job = spawn_blocking(move || {
        started_tx.send(()).expect("it is awaited");
        go_rx.blocking_recv().expect("it is sent");
        ended_tx.send(render(status)).expect("it is awaited");
    });
    let caller = tokio::spawn(job);
    started_rx.await?;
    caller.abort();
    assert!(caller.await.is_err_and(|error| error.is_cancelled()));
    go_tx.send(()).expect("the job runs");
    let html = spawn_blocking(move || ended_rx.recv()).await???;
    println!("its caller is aborted: {html}");
    assert_eq!(html, "<p>parcel 7 is in transit</p>");
    Ok(())
}
// ANCHOR_END: all
