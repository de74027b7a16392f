// ANCHOR: all
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::{sleep, timeout};
use tokio_util::task::AbortOnDropHandle;

const MINUTE: Duration = Duration::from_secs(60);

async fn water(litres: Arc<AtomicU32>) {
    loop {
        sleep(MINUTE).await;
        litres.fetch_add(1, Relaxed);
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    // ANCHOR: broken
    // Broken: the time is up for the handle. The task has all the time.
    let litres = Arc::default();
    let watering = tokio::spawn(water(Arc::clone(&litres)));
    assert!(timeout(MINUTE * 5 / 2, watering).await.is_err());
    assert_eq!(litres.load(Relaxed), 2);
    sleep(60 * MINUTE).await;
    println!("a handle in a timeout: 2 l, an hour later {litres:?} l");
    assert_eq!(litres.load(Relaxed), 62);
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: what the timeout drops ends the task.
    let litres = Arc::default();
    let watering = tokio::spawn(water(Arc::clone(&litres)));
    let watering = AbortOnDropHandle::new(watering);
    assert!(timeout(MINUTE * 5 / 2, watering).await.is_err());
    sleep(60 * MINUTE).await;
    println!("AbortOnDropHandle in a timeout: an hour later {litres:?} l");
    assert_eq!(litres.load(Relaxed), 2);
    // ANCHOR_END: fixed
}
// ANCHOR_END: all
