// ANCHOR: all
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};

use anyhow::Result;
use futures::FutureExt;
use futures::future::join_all;
use tokio::sync::{mpsc, oneshot};
use tokio::task::yield_now;

type Jobs = HashMap<u32, u32>;

/// Stands for a database.
#[derive(Clone, Default)]
struct Store(Arc<Mutex<Jobs>>);

impl Store {
    async fn load(&self) -> Jobs {
        yield_now().await;
        self.0.lock().expect("no panic").clone()
    }

    async fn insert(&self, parcel: u32, job: u32) {
        yield_now().await;
        self.0.lock().expect("no panic").insert(parcel, job);
    }
}

struct Print(u32, oneshot::Sender<u32>);

struct Printer {
    jobs: Jobs,
    store: Store,
}

impl Printer {
    async fn handle(&mut self, Print(parcel, reply_tx): Print) {
        let next = self.jobs.len() as u32 + 1;
        let job = *self.jobs.entry(parcel).or_insert(next);
        assert_ne!(parcel, 99, "parcel 99 has no address");
        self.store.insert(parcel, job).await; // before the reply
        _ = reply_tx.send(job);
    }
}

// ANCHOR: broken
async fn dies(mut requests_rx: mpsc::Receiver<Print>, store: Store) {
    let mut printer = Printer { jobs: store.load().await, store };
    while let Some(request) = requests_rx.recv().await {
        printer.handle(request).await;
    }
}
// ANCHOR_END: broken

// ANCHOR: fixed
async fn loads_again(mut requests_rx: mpsc::Receiver<Print>, store: Store) {
    let mut jobs = store.load().await;
    while let Some(request) = requests_rx.recv().await {
        let mut printer = Printer { jobs, store: store.clone() };
        let handled = AssertUnwindSafe(printer.handle(request)).catch_unwind();
        jobs = match handled.await {
            Ok(()) => printer.jobs,
            Err(_panic) => store.load().await, // the state may be half changed
        };
    }
}
// ANCHOR_END: fixed

/// What callers get that send their requests at once.
async fn replies(
    requests_tx: mpsc::Sender<Print>,
    parcels: &[u32],
) -> Vec<Option<u32>> {
    let requests = parcels.iter().map(async |parcel| {
        let (reply_tx, reply_rx) = oneshot::channel();
        requests_tx.send(Print(*parcel, reply_tx)).await.ok()?;
        reply_rx.await.ok()
    });
    join_all(requests).await
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let store = Store::default();
    let (requests_tx, requests_rx) = mpsc::channel(2);
    let actor = tokio::spawn(dies(requests_rx, store.clone()));
    let lost = replies(requests_tx, &[1, 99, 2, 3]).await;
    println!("dies: {lost:?}");
    assert_eq!(lost, [Some(1), None, None, None]);
    assert!(actor.await.is_err_and(|error| error.is_panic()));

    // It loads the job of parcel 1, and forgets that of parcel 99.
    let (requests_tx, requests_rx) = mpsc::channel(2);
    let actor = tokio::spawn(loads_again(requests_rx, store.clone()));
    let served = replies(requests_tx, &[1, 2, 99, 3, 2]).await;
    println!("loads again: {served:?}");
    assert_eq!(served, [Some(1), Some(2), None, Some(3), Some(2)]);
    actor.await?;
    assert_eq!(store.load().await, Jobs::from([(1, 1), (2, 2), (3, 3)]));
    Ok(())
}
// ANCHOR_END: all
