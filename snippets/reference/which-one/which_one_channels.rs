use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: kinds
    // Three events, room for two, and two receivers.
    let (tx, rx) = async_channel::bounded(2);
    let other_rx = rx.clone();
    tx.send(1).await?;
    tx.send(2).await?;
    assert!(tx.try_send(3).is_err(), "full: `send` would wait");
    assert_eq!((rx.recv().await?, other_rx.recv().await?), (1, 2));
    println!("async-channel: each event to one of the two");

    let (tx, rx) = broadcast::channel(2);
    let other_rx = tx.subscribe();
    (1..=3).try_for_each(|event| tx.send(event).map(drop))?;
    for mut rx in [rx, other_rx] {
        assert_eq!(rx.recv().await, Err(RecvError::Lagged(1)));
        assert_eq!((rx.recv().await?, rx.recv().await?), (2, 3));
    }
    println!("broadcast: events 2 and 3 to both, and how many are lost");

    let (tx, rx) = watch::channel(0);
    let other_rx = tx.subscribe();
    (1..=3).try_for_each(|event| tx.send(event))?;
    for mut rx in [rx, other_rx] {
        assert_eq!(*rx.borrow_and_update(), 3);
        assert!(!rx.has_changed()?, "1 and 2 are not received");
    }
    println!("watch: event 3 to both");
    // ANCHOR_END: kinds
    Ok(())
}
