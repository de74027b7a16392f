// ANCHOR: all
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use futures::stream::{self, StreamExt};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

const YEAR: Duration = Duration::from_secs(365 * 86_400);

async fn wash(car: u64) -> u64 {
    sleep(Duration::from_secs(60 * car)).await;
    car
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    // ANCHOR: broken
    // Broken: a limit of 0. Nothing is begun, and nothing says so.
    let cars = || stream::iter(1..=100);
    let washed = cars().map(wash).buffer_unordered(0).count();
    assert!(timeout(YEAR, washed).await.is_err());
    let washed = cars().map(wash).buffered(0).count();
    assert!(timeout(YEAR, washed).await.is_err());
    let none = stream::iter(0..0).map(wash).buffer_unordered(0).count();
    assert!(timeout(YEAR, none).await.is_err(), "no car, and no end");
    println!("buffered and buffer_unordered: hang, even without a car");

    let bays = Semaphore::new(0);
    assert!(timeout(YEAR, bays.acquire()).await.is_err());
    let bays = Semaphore::new(3);
    assert!(timeout(YEAR, bays.acquire_many(4)).await.is_err());
    println!("Semaphore: hangs, as for 4 permits out of 3");

    let (washing, peak) = (AtomicU32::new(0), AtomicU32::new(0));
    let all = cars().for_each_concurrent(0, async |car| {
        peak.fetch_max(washing.fetch_add(1, Relaxed) + 1, Relaxed);
        wash(car).await;
        washing.fetch_sub(1, Relaxed);
    });
    all.await;
    println!("for_each_concurrent: {peak:?} at once");
    assert_eq!(peak.into_inner(), 100);
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: a limit whose type has no 0, where it is read.
    let limit = "0".parse::<NonZeroUsize>();
    println!("NonZeroUsize: {}", limit.expect_err("there is no such limit"));
    let limit = "3".parse::<NonZeroUsize>().expect("there is one");
    let washed = cars().map(wash).buffer_unordered(limit.get()).count();
    assert_eq!(timeout(YEAR, washed).await, Ok(100));
    // ANCHOR_END: fixed
}
// ANCHOR_END: all
