// ANCHOR: all
use std::sync::{Arc, Mutex};

use tokio::join;
use tokio::sync::broadcast::{Receiver, Sender, channel, error::TryRecvError};
use tokio::task::yield_now;

type Parcels = Arc<Mutex<Vec<u32>>>;
type Subscription = (Vec<u32>, Receiver<u32>);

fn add(parcels: &Parcels, tx: &Sender<u32>, parcel: u32) {
    let mut parcels = parcels.lock().expect("no panic");
    parcels.push(parcel);
    _ = tx.send(parcel);
}

// ANCHOR: broken
async fn subscribe_later(parcels: &Parcels, tx: &Sender<u32>) -> Subscription {
    let snapshot = parcels.lock().expect("no panic").clone();
    yield_now().await; // or another thread, at this moment
    (snapshot, tx.subscribe())
}
// ANCHOR_END: broken

// ANCHOR: fixed
async fn subscribe(parcels: &Parcels, tx: &Sender<u32>) -> Subscription {
    let parcels = parcels.lock().expect("no panic");
    (parcels.clone(), tx.subscribe())
}
// ANCHOR_END: fixed

/// What a subscriber knows of parcel 7, and of parcel 8 that comes meanwhile.
async fn known(
    subscribe: impl AsyncFn(&Parcels, &Sender<u32>) -> Subscription,
) -> Vec<u32> {
    let (parcels, (tx, _)) = (Parcels::default(), channel(4));
    add(&parcels, &tx, 7);
    let meanwhile = async { add(&parcels, &tx, 8) };
    let ((mut known, mut rx), ()) = join!(subscribe(&parcels, &tx), meanwhile);
    loop {
        match rx.try_recv() {
            Ok(parcel) => known.push(parcel),
            Err(TryRecvError::Empty) => return known,
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let parcels = known(subscribe_later).await;
    println!("two steps: {parcels:?}");
    assert_eq!(parcels, [7]);

    let parcels = known(subscribe).await;
    println!("under one lock: {parcels:?}");
    assert_eq!(parcels, [7, 8]);
}
// ANCHOR_END: all
