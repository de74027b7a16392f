// ANCHOR: all
use std::cell::Cell;
use std::future::Future;
use std::thread;
use std::time::Duration;

use futures::executor::block_on;
use futures::poll;
use tokio::task::yield_now;
use tokio::time::sleep;

const SECOND: Duration = Duration::from_secs(1);

// ANCHOR: broken
thread_local! {
    static THREAD_ID: Cell<u32> = const { Cell::new(0) };
}

async fn handle<F: Future>(request_id: u32, work: F) -> u32 {
    THREAD_ID.set(request_id);
    work.await;
    THREAD_ID.get()
}
// ANCHOR_END: broken

// ANCHOR: fixed
tokio::task_local! {
    static REQUEST_ID: u32;
}

async fn handle_in_scope<F: Future>(request_id: u32, work: F) -> u32 {
    let request = async {
        work.await;
        REQUEST_ID.get()
    };
    REQUEST_ID.scope(request_id, request).await
}
// ANCHOR_END: fixed

/// Polls a future once on this thread, and then on another one. A runtime with
/// several threads may do the same.
fn on_two_threads(work: impl Future<Output = u32> + Send + 'static) -> u32 {
    let mut work = Box::pin(work);
    let first = block_on(async { poll!(&mut work) });
    assert!(first.is_pending());
    thread::spawn(|| block_on(work)).join().expect("no panic")
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let seven = tokio::spawn(handle(7, sleep(2 * SECOND)));
    let eight = tokio::spawn(handle(8, sleep(SECOND)));
    let ids = (seven.await?, eight.await?);
    let moved = on_two_threads(handle(7, yield_now()));
    println!("thread_local!: {ids:?}, on another thread {moved}");
    assert_eq!((ids, moved), ((8, 8), 0));

    let seven = tokio::spawn(handle_in_scope(7, sleep(2 * SECOND)));
    let eight = tokio::spawn(handle_in_scope(8, sleep(SECOND)));
    let ids = (seven.await?, eight.await?);
    let moved = on_two_threads(handle_in_scope(7, yield_now()));
    println!("task_local!: {ids:?}, on another thread {moved}");
    assert_eq!((ids, moved), ((7, 8), 7));
    Ok(())
}
// ANCHOR_END: all
