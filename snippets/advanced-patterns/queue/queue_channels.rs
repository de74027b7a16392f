// ANCHOR: all
use std::sync::mpsc::sync_channel;

use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::task::spawn_blocking;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    // Any number of senders, each order is received once, and the end is
    // seen. A thread may send, or receive, by the blocking methods.
    let (orders, mut hatch) = mpsc::channel(2);
    let till = orders.clone();
    spawn_blocking(move || till.blocking_send("soup")).await??;
    orders.send("fish").await?;
    assert!(orders.try_send("cake").is_err(), "full: `send` would wait");
    drop(orders);
    assert_eq!(hatch.recv().await, Some("soup"));
    assert_eq!(hatch.recv().await, Some("fish"));
    assert_eq!(hatch.recv().await, None);
    println!("mpsc: soup, fish, the end");

    // One value, and sending it is no await. No answer is an error.
    let (answer, question) = oneshot::channel();
    answer.send("table 7 is free").expect("the asker waits");
    assert_eq!(question.await?, "table 7 is free");
    let (answer, question) = oneshot::channel::<&str>();
    drop(answer);
    assert!(question.await.is_err());
    println!("oneshot: an answer, or an error");

    // Each receiver gets each value. Sending does not wait: who is slow
    // misses the oldest, and is told how many.
    let (speaker, mut quick) = broadcast::channel(2);
    let mut slow = speaker.subscribe();
    for call in ["soup is off", "last orders", "we close"] {
        speaker.send(call)?;
        assert_eq!(quick.recv().await?, call);
    }
    let missed = slow.recv().await.unwrap_err();
    assert_eq!(missed, broadcast::error::RecvError::Lagged(1));
    assert_eq!(slow.recv().await?, "last orders");
    println!("broadcast: the slow one {missed}");

    // The latest value only, for as many as look.
    let (sign, mut door) = watch::channel("closed");
    sign.send("open")?;
    sign.send("full")?;
    door.changed().await?;
    assert_eq!(*door.borrow_and_update(), "full");
    assert!(!door.has_changed()?, "\"open\" was never seen");
    println!("watch: closed, full");

    // Between threads: both ends block, so neither belongs in a task.
    let (receipts, book) = sync_channel(1);
    receipts.try_send(1)?;
    assert!(receipts.try_send(2).is_err(), "full: `send` would block");
    let till = spawn_blocking(move || {
        (2..=100).try_for_each(|amount: u32| receipts.send(amount))
    });
    let total = spawn_blocking(move || book.iter().sum::<u32>()).await?;
    till.await??;
    assert_eq!(total, 5050);
    println!("std: 100 receipts, {total} in all");
    Ok(())
}
// ANCHOR_END: all
