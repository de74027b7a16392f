// ANCHOR: all
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::sleep;

// ANCHOR: sent
static SENT: AtomicU32 = AtomicU32::new(0);
// ANCHOR_END: sent

// ANCHOR: send
async fn send_receipt(order: u32) -> String {
    SENT.fetch_add(1, Relaxed);
    sleep(Duration::from_millis(50)).await;
    format!("receipt for order {order}")
}
// ANCHOR_END: send

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: forgotten
    // The call builds a future. Its body has not begun, and never will.
    let receipt = send_receipt(7);
    sleep(Duration::from_millis(100)).await;
    assert_eq!(SENT.load(Relaxed), 0);
    drop(receipt);
    assert_eq!(SENT.load(Relaxed), 0);
    println!("called:  {SENT:?} sent");
    // ANCHOR_END: forgotten

    // ANCHOR: received
    let receipt = send_receipt(7).await;
    assert_eq!(receipt, "receipt for order 7");
    assert_eq!(SENT.load(Relaxed), 1);
    println!("awaited: {SENT:?} sent, {receipt:?}");
    // ANCHOR_END: received

    // ANCHOR: spawned
    // A task runs by itself; its handle is only for the result.
    let task = tokio::spawn(send_receipt(8));
    sleep(Duration::from_millis(100)).await;
    assert_eq!(SENT.load(Relaxed), 2);
    assert!(task.is_finished());
    println!("spawned: {SENT:?} sent, {:?}", task.await?);
    // ANCHOR_END: spawned
    Ok(())
}
// ANCHOR_END: all
