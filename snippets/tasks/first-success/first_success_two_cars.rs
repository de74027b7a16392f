// ANCHOR: all
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use futures::FutureExt;
use futures::future::select_ok;
use tokio::time::{Sleep, sleep};

static SENT: AtomicU32 = AtomicU32::new(0);

fn minutes(minutes: u64) -> Sleep {
    sleep(Duration::from_secs(60 * minutes))
}

/// Asks for a car, and needs a while to hear what it costs.
async fn order(wait: u64) -> Result<u64, &'static str> {
    minutes(1).await;
    SENT.fetch_add(1, Relaxed);
    minutes(wait).await;
    Ok(wait)
}

async fn ask(wait: u64) -> Result<u64, &'static str> {
    minutes(1).await;
    minutes(wait).await;
    Ok(wait)
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    // ANCHOR: broken
    // Broken: who loses is dropped, and its car is on the way.
    let orders = [9, 4, 7].map(|wait| order(wait).boxed());
    let (wait, _) = select_ok(orders).await.expect("they have cars");
    println!("a race of orders: {SENT:?} cars for {wait} minutes");
    assert_eq!(SENT.swap(0, Relaxed), 3);
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: race for what may be asked twice. Order once, from the winner.
    let offers = [9, 4, 7].map(|wait| ask(wait).boxed());
    let (wait, _) = select_ok(offers).await.expect("they have cars");
    order(wait).await.expect("it has a car");
    println!("a race of offers: {SENT:?} car");
    assert_eq!(SENT.load(Relaxed), 1);
    // ANCHOR_END: fixed
}
// ANCHOR_END: all
