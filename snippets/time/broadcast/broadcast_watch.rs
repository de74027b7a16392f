// ANCHOR: all
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

// ANCHOR: latest
async fn follow(mut rx: watch::Receiver<u32>) -> Vec<u32> {
    let mut seen = vec![*rx.borrow_and_update()]; // the value that is there
    while rx.changed().await.is_ok() {
        let progress = *rx.borrow_and_update();
        seen.push(progress);
        sleep(3 * SECOND).await; // slow
    }
    seen
}
// ANCHOR_END: latest

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let (tx, rx) = watch::channel(0);
    let follower = tokio::spawn(follow(rx));
    for percent in 1..=10 {
        sleep(SECOND).await;
        // ANCHOR: replace
        tx.send_replace(percent * 10); // also if there is no receiver
        // ANCHOR_END: replace
    }
    drop(tx);
    let seen = follower.await?;
    println!("seen: {seen:?}");
    assert_eq!((seen.first(), seen.last()), (Some(&0), Some(&100)));

    // A new receiver counts the value that is there as seen.
    let (tx, _) = watch::channel(0);
    tx.send_replace(70);
    let mut late = tx.subscribe();
    assert!(timeout(SECOND, late.changed()).await.is_err());
    println!("late: changed waits, the value is {}", *late.borrow());
    assert_eq!(*late.borrow_and_update(), 70);

    // `send` keeps nothing if there is no receiver.
    drop(late);
    assert!(tx.send(80).is_err());
    println!("send: {}", *tx.borrow());
    assert_eq!(*tx.borrow(), 70);
    tx.send_replace(80);
    println!("send_replace: {}", *tx.borrow());
    assert_eq!(*tx.borrow(), 80);
    Ok(())
}
// ANCHOR_END: all
