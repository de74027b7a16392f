// ANCHOR: all
use std::future::pending;
use std::io;

use tokio::task::{JoinError, yield_now};

fn close_shutter() -> io::Result<()> {
    Err(io::Error::other("the shutter is frozen"))
}

// ANCHOR: broken
// Broken: cancelled, and the joiner hears of a bug.
struct Panics;

impl Drop for Panics {
    fn drop(&mut self) {
        close_shutter().expect("shutters close");
    }
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: an error in `drop` goes to the log, there is nobody else.
struct Tells;

impl Drop for Tells {
    fn drop(&mut self) {
        if let Err(error) = close_shutter() {
            eprintln!("{error}"); // or tracing::error!
        }
    }
}
// ANCHOR_END: fixed

async fn abort(guard: impl Send + 'static) -> JoinError {
    let task = tokio::spawn(async move {
        let _shutter = guard;
        pending::<()>().await
    });
    yield_now().await;
    task.abort();
    task.await.unwrap_err()
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let end = abort(Panics).await;
    println!("panics: is_cancelled = {}", end.is_cancelled());
    assert!(end.is_panic() && !end.is_cancelled());

    let end = abort(Tells).await;
    println!("tells: is_cancelled = {}", end.is_cancelled());
    assert!(end.is_cancelled());
}
// ANCHOR_END: all
