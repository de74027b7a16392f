// ANCHOR: all
use std::time::Duration;

use tokio::sync::{broadcast, watch};
use tokio::time::timeout;

const DAY: Duration = Duration::from_secs(86_400);

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    // Broken: to a new receiver, the number on the board is an old one.
    let (board, _) = watch::channel(0);
    board.send_replace(7);
    let mut late = board.subscribe();
    assert!(timeout(DAY, late.changed()).await.is_err());
    println!("changed: waits for the next number");
    // Fixed: look first, and wait then.
    let number = *late.borrow_and_update();
    println!("borrow_and_update: {number}");
    assert_eq!(number, 7);

    // Broken: nobody looks, so the number is not even written down.
    let (board, last) = watch::channel(0);
    drop(last);
    assert!(board.send(7).is_err());
    println!("send: {}", *board.borrow());
    assert_eq!(*board.borrow(), 0);
    // Fixed: it is.
    board.send_replace(7);
    println!("send_replace: {}", *board.borrow());
    assert_eq!(*board.borrow(), 7);

    // A broadcast keeps nothing for those who come later.
    let (call, first) = broadcast::channel(4);
    call.send(7)?;
    let mut late = call.subscribe();
    call.send(8)?;
    let number = late.recv().await?;
    println!("broadcast: {number}");
    assert_eq!(number, 8);
    drop((first, late));
    assert!(call.send(9).is_err(), "nobody listens");
    Ok(())
}
// ANCHOR_END: all
