// ANCHOR: all
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::sleep;

// ANCHOR: sent
static SENT: AtomicU32 = AtomicU32::new(0);
// ANCHOR_END: sent

// ANCHOR: notify
async fn notify(parcel: u32) -> String {
    SENT.fetch_add(1, Relaxed);
    sleep(Duration::from_millis(50)).await;
    format!("parcel {parcel} has arrived")
}
// ANCHOR_END: notify

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: forgotten
    // The call returns a future. Nothing of its body runs.
    let future = notify(7);
    sleep(Duration::from_millis(100)).await;
    drop(future);
    println!("called: {SENT:?} sent");
    assert_eq!(SENT.load(Relaxed), 0);
    // ANCHOR_END: forgotten

    // ANCHOR: awaited
    let text = notify(7).await;
    println!("awaited: {SENT:?} sent, {text:?}");
    assert_eq!(SENT.load(Relaxed), 1);
    // ANCHOR_END: awaited

    // ANCHOR: spawned
    // A task runs without an await. The handle is for its result.
    let task = tokio::spawn(notify(8));
    sleep(Duration::from_millis(100)).await;
    assert!(task.is_finished());
    println!("spawned: {SENT:?} sent, {:?}", task.await?);
    assert_eq!(SENT.load(Relaxed), 2);
    // ANCHOR_END: spawned
    Ok(())
}
// ANCHOR_END: all
