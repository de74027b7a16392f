// ANCHOR: all
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

// ANCHOR: shutters
static OPEN_SHUTTERS: AtomicU32 = AtomicU32::new(0);
// ANCHOR_END: shutters

// ANCHOR: guard
struct Shutter;

impl Shutter {
    fn open() -> Self {
        OPEN_SHUTTERS.fetch_add(1, Relaxed);
        Shutter
    }
}

impl Drop for Shutter {
    fn drop(&mut self) {
        OPEN_SHUTTERS.fetch_sub(1, Relaxed);
    }
}

/// A picture takes ten minutes.
async fn expose() -> Instant {
    let _shutter = Shutter::open();
    sleep(Duration::from_secs(600)).await;
    Instant::now()
}
// ANCHOR_END: guard

// ANCHOR: observe
/// Takes pictures until it is told to stop, and puts the telescope to rest.
async fn observe(stop: CancellationToken) -> Vec<Instant> {
    let mut pictures = Vec::new();
    // ANCHOR: pictures
    while let Some(picture) = stop.run_until_cancelled(expose()).await {
        pictures.push(picture);
    }
    // ANCHOR_END: pictures
    // ANCHOR: rest
    sleep(Duration::from_secs(60)).await; // the telescope turns to the wall
    // ANCHOR_END: rest
    pictures
}
// ANCHOR_END: observe

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let start = Instant::now();

    // ANCHOR: tree
    let night = CancellationToken::new();
    let fog = night.child_token();
    let north = tokio::spawn(observe(fog.clone()));
    let south = tokio::spawn(observe(night.child_token()));
    // ANCHOR_END: tree

    sleep(Duration::from_secs(3_700)).await;
    // ANCHOR: cancel
    fog.cancel();
    let pictures = north.await?.len();
    // ANCHOR_END: cancel
    println!("north: {pictures} pictures, {:?}", start.elapsed());
    assert_eq!((pictures, start.elapsed().as_secs()), (6, 3_760));
    assert!(!night.is_cancelled());
    assert_eq!(OPEN_SHUTTERS.load(Relaxed), 1, "the south goes on");

    sleep(Duration::from_secs(2_340)).await;
    night.cancel();
    let pictures = south.await?.len();
    println!("south: {pictures} pictures, {:?}", start.elapsed());
    assert_eq!((pictures, start.elapsed().as_secs()), (10, 6_160));
    assert_eq!(OPEN_SHUTTERS.load(Relaxed), 0);
    Ok(())
}
// ANCHOR_END: all
