// ANCHOR: all
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

static WRITING: AtomicU32 = AtomicU32::new(0);
static PEAK: AtomicU32 = AtomicU32::new(0);

/// Writes for an hour, and fails in the end.
async fn write() -> Result<(), &'static str> {
    PEAK.fetch_max(WRITING.fetch_add(1, Relaxed) + 1, Relaxed);
    sleep(Duration::from_secs(3600)).await;
    WRITING.fetch_sub(1, Relaxed);
    Err("it was snow")
}

// ANCHOR: forgotten
// Broken: `?` leaves with the desk.
async fn forgets(desks: &Semaphore) -> Result<(), &'static str> {
    desks.acquire().await.expect("never closed").forget();
    write().await?;
    desks.add_permits(1);
    Ok(())
}
// ANCHOR_END: forgotten

// ANCHOR: underscore
// Broken: `_` is no variable. The permit is dropped where it stands.
async fn drops_at_once(desks: &Semaphore) -> Result<(), &'static str> {
    let _ = desks.acquire().await.expect("never closed");
    write().await
}
// ANCHOR_END: underscore

// ANCHOR: fixed
// Fixed: a variable, dropped when the function is left, however it is.
async fn holds(desks: &Semaphore) -> Result<(), &'static str> {
    let _desk = desks.acquire().await.expect("never closed");
    write().await
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let day = Duration::from_secs(24 * 3600);

    let desks = Semaphore::new(2);
    let ten = join_all([(); 10].map(|()| forgets(&desks)));
    assert!(timeout(day, ten).await.is_err(), "eight wait for ever");
    println!("forgotten: {} of 2 desks left", desks.available_permits());
    assert_eq!((desks.available_permits(), PEAK.swap(0, Relaxed)), (0, 2));

    let desks = Semaphore::new(2);
    join_all([(); 10].map(|()| drops_at_once(&desks))).await;
    println!("`let _`: {PEAK:?} write at 2 desks");
    assert_eq!((desks.available_permits(), PEAK.swap(0, Relaxed)), (2, 10));

    let desks = Semaphore::new(2);
    join_all([(); 10].map(|()| holds(&desks))).await;
    println!("`let _desk`: {PEAK:?} write at 2 desks");
    assert_eq!((desks.available_permits(), PEAK.swap(0, Relaxed)), (2, 2));
}
// ANCHOR_END: all
