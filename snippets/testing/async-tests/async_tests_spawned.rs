// ANCHOR: all
use tokio::task::yield_now;

async fn height() -> u32 {
    yield_now().await;
    549
}

// ANCHOR: broken
// Broken: the task panics, and its handle keeps the panic.
#[tokio::test]
async fn broken_a_wrong_height_passes() {
    let task = tokio::spawn(async { assert_eq!(height().await, 550) });
    while !task.is_finished() {
        yield_now().await;
    }
    // A test that ends here has passed. The panic is in the handle:
    assert!(task.await.is_err_and(|error| error.is_panic()));
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: whoever awaits the handle gets the panic, as an error.
#[tokio::test]
#[should_panic(expected = "left: 549")]
async fn fixed_a_wrong_height_fails() {
    let task = tokio::spawn(async { assert_eq!(height().await, 550) });
    task.await.expect("no panic");
}
// ANCHOR_END: fixed
// ANCHOR_END: all
