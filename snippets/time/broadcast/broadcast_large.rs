// ANCHOR: all
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use tokio::sync::broadcast::{Receiver, channel};

static CLONES: AtomicUsize = AtomicUsize::new(0);

/// A picture of a parcel.
struct Picture(Vec<u8>);

impl Clone for Picture {
    fn clone(&self) -> Self {
        CLONES.fetch_add(1, Relaxed);
        Picture(self.0.clone())
    }
}

/// The bytes that a hundred subscribers receive.
async fn receive_all<T: Clone>(
    receivers: Vec<Receiver<T>>,
    bytes: impl Fn(&T) -> usize,
) -> anyhow::Result<usize> {
    let mut all = 0;
    for mut rx in receivers {
        all += bytes(&rx.recv().await?);
    }
    Ok(all)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let picture = Picture(vec![7; 1_000_000]);
    // ANCHOR: broken
    let (tx, _) = channel::<Picture>(4);
    // ANCHOR_END: broken
    let receivers = (0..100).map(|_| tx.subscribe()).collect();
    _ = tx.send(picture);
    let bytes = receive_all(receivers, |it| it.0.len()).await?;
    println!("Picture: {bytes} bytes, {CLONES:?} copies");
    assert_eq!((bytes, CLONES.swap(0, Relaxed)), (100_000_000, 100));

    let picture = Picture(vec![7; 1_000_000]);
    // ANCHOR: fixed
    let (tx, _) = channel::<Arc<Picture>>(4);
    // ANCHOR_END: fixed
    let receivers = (0..100).map(|_| tx.subscribe()).collect();
    _ = tx.send(Arc::new(picture));
    let bytes = receive_all(receivers, |it| it.0.len()).await?;
    println!("Arc<Picture>: {bytes} bytes, {CLONES:?} copies");
    assert_eq!((bytes, CLONES.load(Relaxed)), (100_000_000, 0));
    Ok(())
}
// ANCHOR_END: all
