// ANCHOR: all
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

const DAY: Duration = Duration::from_secs(86_400);

async fn broken(status_tx: &watch::Sender<&'static str>) -> &'static str {
    // ANCHOR: broken
    let mut status_rx = status_tx.subscribe();
    while status_rx.changed().await.is_ok() {
        if *status_rx.borrow_and_update() == "delivered" {
            break;
        }
    }
    // ANCHOR_END: broken
    *status_tx.borrow()
}

async fn fixed(status_tx: &watch::Sender<&'static str>) -> &'static str {
    // ANCHOR: fixed
    let mut status_rx = status_tx.subscribe();
    let status = status_rx.wait_for(|now| *now == "delivered").await;
    // ANCHOR_END: fixed
    status.map_or("the sender is dropped", |status| *status)
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let (status_tx, mut status_rx) = watch::channel("in transit");
    status_tx.send_replace("delivered");
    let end = timeout(DAY, broken(&status_tx)).await;
    println!("changed: {end:?}");
    assert!(end.is_err());
    let end = timeout(DAY, fixed(&status_tx)).await;
    println!("wait_for: {end:?}");
    assert_eq!(end, Ok("delivered"));
    status_tx.send_replace("in transit");
    assert!(timeout(DAY, fixed(&status_tx)).await.is_err());

    // A receiver that was there before has not seen it.
    assert!(status_rx.has_changed()?);
    status_rx.changed().await?;
    assert!(!status_rx.has_changed()?);
    status_tx.send_replace("delivered");
    assert_eq!(*status_rx.borrow(), "delivered");
    assert!(status_rx.has_changed()?, "borrow does not mark it as seen");
    assert_eq!(*status_rx.borrow_and_update(), "delivered");
    assert!(!status_rx.has_changed()?);

    // send fails without a receiver, and does not change the value.
    drop(status_rx);
    assert!(status_tx.send("returned").is_err());
    assert_eq!(*status_tx.borrow(), "delivered");
    println!("send, without a receiver: an error, and nothing changes");
    status_tx.send_replace("returned");
    assert_eq!(*status_tx.borrow(), "returned");
    Ok(())
}
// ANCHOR_END: all
