// ANCHOR: all
use std::iter::from_fn;

use tokio::sync::broadcast::error::TryRecvError;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

/// Four ships report, to a channel that has room for two; nobody takes them.
/// How many could report at once: the next one would wait, or is refused.
fn report(mut send: impl FnMut(u32) -> bool) -> usize {
    (1..=4).take_while(|&ship| send(ship)).count()
}

/// Then two pilots take what is there, in turn.
fn print(kind: &str, sent: usize, ann: &[u32], ben: &[u32]) {
    println!("{kind:16} {sent} sent   Ann has {ann:?}, Ben has {ben:?}");
}

fn main() -> anyhow::Result<()> {
    let (tx, mut rx) = oneshot::channel();
    let mut tx = Some(tx);
    let sent = report(|ship| tx.take().is_some_and(|tx| tx.send(ship).is_ok()));
    let ann = vec![rx.try_recv()?];
    assert_eq!((sent, ann.as_slice()), (1, [1].as_slice()));
    print("oneshot", sent, &ann, &[]);

    let (tx, mut rx) = mpsc::channel(2);
    let sent = report(|ship| tx.try_send(ship).is_ok());
    let ann: Vec<u32> = from_fn(|| rx.try_recv().ok()).collect();
    assert_eq!((sent, ann.as_slice()), (2, [1, 2].as_slice()));
    print("mpsc", sent, &ann, &[]);

    let (tx, mut rx) = mpsc::unbounded_channel();
    let sent = report(|ship| tx.send(ship).is_ok());
    let ann: Vec<u32> = from_fn(|| rx.try_recv().ok()).collect();
    assert_eq!((sent, ann.as_slice()), (4, [1, 2, 3, 4].as_slice()));
    print("mpsc, unbounded", sent, &ann, &[]);

    let (tx, rx) = async_channel::bounded(2);
    let sent = report(|ship| tx.try_send(ship).is_ok());
    let (ann, ben) = (vec![rx.try_recv()?], vec![rx.clone().try_recv()?]);
    assert!(rx.is_empty(), "each of the two had one");
    assert_eq!((sent, &ann[..], &ben[..]), (2, &[1][..], &[2][..]));
    print("async-channel", sent, &ann, &ben);

    let (tx, mut rx) = broadcast::channel(2);
    let mut other = tx.subscribe();
    let sent = report(|ship| tx.send(ship).is_ok());
    let late = tx.subscribe();
    assert_eq!(rx.try_recv(), Err(TryRecvError::Lagged(2)));
    let ann: Vec<u32> = from_fn(|| rx.try_recv().ok()).collect();
    assert_eq!(other.try_recv(), Err(TryRecvError::Lagged(2)));
    let ben: Vec<u32> = from_fn(|| other.try_recv().ok()).collect();
    assert_eq!((sent, &ann[..], &ben[..]), (4, &[3, 4][..], &[3, 4][..]));
    assert!(late.is_empty(), "a latecomer hears what comes after");
    print("broadcast", sent, &ann, &ben);

    let (tx, rx) = watch::channel(0);
    let sent = report(|ship| tx.send(ship).is_ok());
    let (ann, ben) = (vec![*rx.borrow()], vec![*tx.subscribe().borrow()]);
    assert_eq!((sent, &ann[..], &ben[..]), (4, &[4][..], &[4][..]));
    print("watch", sent, &ann, &ben);
    Ok(())
}
// ANCHOR_END: all
