// ANCHOR: all
use std::panic::catch_unwind;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread;

use tokio::runtime::Handle;
use tokio::task::yield_now;

static CLOSED: AtomicU32 = AtomicU32::new(0);

async fn close() {
    CLOSED.fetch_add(1, Relaxed);
}

struct Spawns;

// ANCHOR: broken
impl Drop for Spawns {
    fn drop(&mut self) {
        tokio::spawn(close());
    }
}
// ANCHOR_END: broken

struct Tries;

// ANCHOR: fixed
impl Drop for Tries {
    fn drop(&mut self) {
        match Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn(close())),
            Err(error) => tracing::error!("not closed: {error}"),
        }
    }
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let dropped = thread::spawn(|| catch_unwind(|| drop(Spawns))).join();
    let panic = dropped.flatten().expect_err("there is no runtime");
    let message = panic.downcast_ref::<String>().expect("a text");
    let first = message.split(',').next().expect("there is a first");
    println!("spawn: {first}");
    assert_eq!(first, "there is no reactor running");

    thread::spawn(|| drop(Tries)).join().expect("no panic");
    yield_now().await;
    println!("try_current, on a thread: closed: {CLOSED:?}");
    assert_eq!(CLOSED.load(Relaxed), 0);

    drop(Tries);
    yield_now().await;
    println!("try_current, in a task: closed: {CLOSED:?}");
    assert_eq!(CLOSED.load(Relaxed), 1);
}
// ANCHOR_END: all
