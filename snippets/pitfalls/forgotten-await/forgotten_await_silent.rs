// ANCHOR: all
use std::future::{IntoFuture, Ready, ready};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use futures::future::join_all;

static SENT: AtomicU32 = AtomicU32::new(0);

async fn send_receipt(_order: u32) {
    SENT.fetch_add(1, Relaxed);
}

/// A receipt with options, sent when it is awaited.
struct Receipt {
    copies: u32,
}

impl IntoFuture for Receipt {
    type Output = ();
    type IntoFuture = Ready<()>;

    fn into_future(self) -> Ready<()> {
        SENT.fetch_add(self.copies, Relaxed);
        ready(())
    }
}

fn receipt(copies: u32) -> Receipt {
    Receipt { copies }
}

#[tokio::main]
async fn main() {
    let (paid, orders) = (Some(7), [8, 9]);

    // ANCHOR: broken
    // Broken, and neither rustc nor clippy says a word.
    paid.map(send_receipt); // an Option of a future, thrown away
    let receipts = orders.map(send_receipt); // a list of futures
    println!("{} receipts, {SENT:?} sent", receipts.len());
    let _receipt = send_receipt(7); // `_receipt` counts as a use
    receipt(2); // not a future until it is awaited
    assert_eq!(SENT.load(Relaxed), 0);
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: each of them reaches an await.
    if let Some(order) = paid {
        send_receipt(order).await;
    }
    let receipts = join_all(receipts).await;
    send_receipt(7).await;
    receipt(2).await;
    println!("{} receipts, {SENT:?} sent in all", receipts.len());
    assert_eq!(SENT.load(Relaxed), 1 + 2 + 1 + 2);
    // ANCHOR_END: fixed
}
// ANCHOR_END: all
