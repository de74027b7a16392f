// ANCHOR: all
use std::future::{IntoFuture, Ready, ready};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use futures::future::join_all;
use tokio::task::spawn_blocking;

static SENT: Mutex<Vec<u32>> = Mutex::new(Vec::new());
static PRINTED: AtomicU32 = AtomicU32::new(0);

async fn notify(parcel: u32) {
    SENT.lock().expect("no panic inside").push(parcel);
}

/// A label with options, which is printed when it is awaited.
struct Label {
    copies: u32,
}

impl IntoFuture for Label {
    type Output = ();
    type IntoFuture = Ready<()>;

    fn into_future(self) -> Ready<()> {
        PRINTED.fetch_add(self.copies, Relaxed);
        ready(())
    }
}

fn label(copies: u32) -> Label {
    Label { copies }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let (found, parcels) = (Some(7), [8, 9]);
    // ANCHOR: broken
    found.map(notify); // an `Option` of a future
    let list = parcels.map(notify); // an array of futures
    let _text = notify(7); // a variable with a name
    _ = notify(7); // without `let`
    drop(notify(7));
    spawn_blocking(|| notify(7)); // the thread returns the future
    label(2); // not yet a future
    // ANCHOR_END: broken
    let sent = SENT.lock().expect("no panic inside").clone();
    println!("{} futures in the list: sent {sent:?}", list.len());
    assert!(sent.is_empty() && PRINTED.load(Relaxed) == 0);
    // ANCHOR: fixed
    if let Some(parcel) = found {
        notify(parcel).await;
    }
    join_all(list).await;
    tokio::spawn(notify(7)).await?;
    label(2).await;
    // ANCHOR_END: fixed
    let sent = SENT.lock().expect("no panic inside").clone();
    println!("awaited: sent {sent:?}, printed {PRINTED:?}");
    assert_eq!(sent, [7, 8, 9, 7]);
    assert_eq!(PRINTED.load(Relaxed), 2);
    Ok(())
}
// ANCHOR_END: all
