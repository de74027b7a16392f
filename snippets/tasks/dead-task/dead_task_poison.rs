// ANCHOR: all
use std::sync::{Arc, Mutex, MutexGuard};

/// Ten parcels: how many are in the van, and how many are stored.
struct Parcels {
    van: u32,
    stored: u32,
}

/// Stores a parcel. The first run panics in the middle.
fn store(mut parcels: MutexGuard<'_, Parcels>, run: u32) {
    parcels.van -= 1;
    assert_ne!(run, 0, "a parcel without an address");
    parcels.stored += 1;
}

async fn broken(parcels: Arc<Mutex<Parcels>>, run: u32) {
    // ANCHOR: broken
    let parcels = parcels.lock().expect("no holder panics");
    // ANCHOR_END: broken
    store(parcels, run);
}

async fn fixed(shared: Arc<Mutex<Parcels>>, run: u32) {
    // ANCHOR: fixed
    let mut parcels = shared.lock().unwrap_or_else(|poisoned| {
        shared.clear_poison();
        poisoned.into_inner()
    });
    parcels.van = 10 - parcels.stored; // as it is between two runs
    // ANCHOR_END: fixed
    store(parcels, run);
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let new = || Arc::new(Mutex::new(Parcels { van: 10, stored: 0 }));

    let (parcels, mut panics) = (new(), 0);
    for run in 0..5 {
        let task = tokio::spawn(broken(Arc::clone(&parcels), run));
        let end = task.await;
        panics += u32::from(end.is_err_and(|error| error.is_panic()));
    }
    println!("a poisoned lock: {panics} of 5 runs panic");
    assert_eq!(panics, 5);

    let (parcels, mut panics) = (new(), 0);
    for run in 0..5 {
        let task = tokio::spawn(fixed(Arc::clone(&parcels), run));
        let end = task.await;
        panics += u32::from(end.is_err_and(|error| error.is_panic()));
    }
    let parcels = parcels.lock().expect("it is not poisoned");
    let (van, stored) = (parcels.van, parcels.stored);
    println!("put in order: {panics} of 5 runs panics, {stored} are stored");
    assert_eq!((panics, van, stored), (1, 6, 4));
}
// ANCHOR_END: all
