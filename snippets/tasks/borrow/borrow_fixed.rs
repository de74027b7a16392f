// ANCHOR: all
use std::cell::RefCell;
use std::error::Error;
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use futures::poll;
use futures::stream::{self, StreamExt};
use tokio::task::{JoinHandle, LocalSet, spawn_local, yield_now};

// ANCHOR: fixed_send
async fn track() -> usize {
    let digits = {
        let parcel = Rc::new(13);
        parcel.to_string().len()
    }; // the `Rc` is dropped here
    yield_now().await;
    digits
}
// ANCHOR_END: fixed_send

// ANCHOR: fixed_local
async fn track_local() -> u32 {
    let parcel = Rc::new(7);
    let its = Rc::clone(&parcel);
    let task = spawn_local(async move { *its });
    task.await.expect("no panic") + *parcel
}

async fn start_local() -> u32 {
    LocalSet::new().run_until(track_local()).await
}
// ANCHOR_END: fixed_local

// ANCHOR: fixed_sync
async fn count(scans: &AtomicU32) {
    yield_now().await;
    scans.fetch_add(1, Relaxed);
}
// ANCHOR_END: fixed_sync

async fn watch() -> u32 {
    let scans = AtomicU32::new(0);
    tokio::join!(count(&scans), count(&scans));
    scans.into_inner()
}

async fn track_slice(parcels: &[u32]) -> usize {
    parcels.len()
}

// ANCHOR: fixed_owned
fn start(parcels: Arc<[u32]>) -> JoinHandle<usize> {
    tokio::spawn(async move { track_slice(&parcels[1..]).await })
}
// ANCHOR_END: fixed_owned

// ANCHOR: fixed_generic
fn start_any<F>(request: F) -> JoinHandle<u32>
where
    F: Future<Output = u32> + Send + 'static,
{
    tokio::spawn(request)
}

fn request() -> impl Future<Output = u32> + Send {
    let parcel = 7;
    async move { parcel }
}
// ANCHOR_END: fixed_generic

// ANCHOR: fixed_dyn_error
async fn ask() -> Result<u32, Box<dyn Error + Send + Sync>> {
    Err("404 Not Found".into())
}
// ANCHOR_END: fixed_dyn_error

async fn track_error() -> String {
    match ask().await {
        Ok(parcel) => parcel.to_string(),
        Err(error) => {
            yield_now().await;
            error.to_string()
        }
    }
}

async fn track_one(parcel: &u32) -> u32 {
    yield_now().await;
    *parcel
}

// ANCHOR: fixed_stream
async fn track_all() -> Vec<u32> {
    let parcels = [7, 8];
    let tracked: Vec<_> = parcels.iter().map(track_one).collect();
    stream::iter(tracked).buffer_unordered(2).collect().await
}
// ANCHOR_END: fixed_stream

// ANCHOR: fixed_twice
async fn scan(events: &RefCell<Vec<u32>>, parcel: u32) {
    yield_now().await;
    events.borrow_mut().push(parcel); // no await while it is borrowed
}
// ANCHOR_END: fixed_twice

async fn scan_both() -> Vec<u32> {
    let events = RefCell::default();
    tokio::join!(scan(&events, 7), scan(&events, 8));
    events.into_inner()
}

// ANCHOR: fixed_parts
async fn number(labels: &mut [u32], first: u32) {
    for (label, number) in labels.iter_mut().zip(first..) {
        yield_now().await;
        *label = number;
    }
}

async fn number_all(labels: &mut [u32]) {
    let (left, right) = labels.split_at_mut(2);
    tokio::join!(number(left, 1), number(right, 3));
}
// ANCHOR_END: fixed_parts

/// Awaits a future that has to wait at least once.
async fn waits<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    assert!(poll!(&mut future).is_pending(), "it has no await");
    future.await
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let digits = tokio::spawn(waits(track())).await?;
    println!("a block: {digits}");
    assert_eq!(digits, 2);

    let sum = start_local().await;
    println!("a LocalSet: {sum}");
    assert_eq!(sum, 14);

    let scans = tokio::spawn(waits(watch())).await?;
    println!("an atomic: {scans}");
    assert_eq!(scans, 2);

    let tracked = start(Arc::new([7, 8, 9])).await?;
    println!("an Arc: {tracked}");
    assert_eq!(tracked, 2);

    let parcel = start_any(request()).await?;
    println!("bounds: {parcel}");
    assert_eq!(parcel, 7);

    let error = tokio::spawn(track_error()).await?;
    println!("an error: {error}");
    assert_eq!(error, "404 Not Found");

    let mut parcels = tokio::spawn(track_all()).await?;
    parcels.sort_unstable();
    println!("a stream: {parcels:?}");
    assert_eq!(parcels, [7, 8]);

    let events = waits(scan_both()).await;
    println!("a RefCell: {} events", events.len());
    assert_eq!(events.iter().sum::<u32>(), 15);

    let mut labels = vec![0; 5];
    waits(number_all(&mut labels)).await;
    println!("two parts: {labels:?}");
    assert_eq!(labels, [1, 2, 3, 4, 5]);
    Ok(())
}
// ANCHOR_END: all
