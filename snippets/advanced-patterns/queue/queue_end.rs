// ANCHOR: all
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn start_cook() -> (mpsc::Sender<u32>, JoinHandle<()>, Arc<AtomicU32>) {
    let (orders, mut hatch) = mpsc::channel(8);
    let served = Arc::new(AtomicU32::new(0));
    let count = served.clone();
    let cook = tokio::spawn(async move {
        while hatch.recv().await.is_some() {
            sleep(Duration::from_secs(10)).await;
            count.fetch_add(1, Relaxed);
        }
    });
    (orders, cook, served)
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: broken
    // Broken: `orders` is still alive, so there may be one more.
    let (orders, mut cook, served) = start_cook();
    for table in 1..=10 {
        orders.send(table).await?;
    }
    assert!(timeout(DAY, &mut cook).await.is_err(), "still waiting");
    assert_eq!(served.load(Relaxed), 10);
    println!("sender kept: after a day the cook is still there");
    cook.abort();
    assert!(cook.await.unwrap_err().is_cancelled());

    // Broken: what the cook has in hand, and the hatch, is thrown away.
    let (orders, cook, served) = start_cook();
    for table in 1..=10 {
        orders.send(table).await?;
    }
    cook.abort();
    assert!(cook.await.unwrap_err().is_cancelled());
    println!("cook aborted: {served:?} of 10 served");
    assert_eq!(served.load(Relaxed), 1);
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: say that there are no more, and wait.
    let (orders, cook, served) = start_cook();
    for table in 1..=10 {
        orders.send(table).await?;
    }
    drop(orders);
    cook.await?;
    println!("sender dropped: {served:?} of 10 served");
    assert_eq!(served.load(Relaxed), 10);

    // A waiter who trips has dropped it, too.
    let (orders, cook, served) = start_cook();
    let waiter = tokio::spawn(async move {
        orders.send(1).await.expect("the cook is there");
        assert!(orders.is_closed(), "the waiter tripped");
    });
    assert!(waiter.await.unwrap_err().is_panic());
    cook.await?;
    println!("sender panicked: {served:?} of 1 served");
    assert_eq!(served.load(Relaxed), 1);
    // ANCHOR_END: fixed
    Ok(())
}
// ANCHOR_END: all
