// ANCHOR: all
use std::future::pending;

use tokio::runtime::Handle;
use tokio::task::{JoinError, yield_now};

/// The number of events of a parcel, by mistake too small.
async fn events() -> u32 {
    2
}

async fn nothing_awaits_the_task() {
    // ANCHOR: broken
    tokio::spawn(async { assert_eq!(events().await, 3) });
    // ANCHOR_END: broken
    yield_now().await; // the task panics
}

async fn the_test_awaits_the_task() -> Result<(), JoinError> {
    // ANCHOR: fixed
    let task = tokio::spawn(async { assert_eq!(events().await, 3) });
    task.await?;
    // ANCHOR_END: fixed
    Ok(())
}

/// By mistake leaves a task behind.
async fn track() {
    tokio::spawn(pending::<()>());
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    nothing_awaits_the_task().await;
    println!("not awaited: the test passes");
    let result = the_test_awaits_the_task().await;
    let panic = result.expect_err("a failure").into_panic();
    let message = panic.downcast::<String>().expect("of assert_eq!");
    assert!(message.ends_with("left: 2\n right: 3"), "{message}");
    println!("awaited: the test fails");

    // ANCHOR: fixed_leak
    track().await;
    let left = Handle::current().metrics().num_alive_tasks();
    // ANCHOR_END: fixed_leak
    println!("tasks that are left: {left}");
    assert_eq!(left, 1);
}
// ANCHOR_END: all
