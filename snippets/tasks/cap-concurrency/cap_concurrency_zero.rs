// ANCHOR: all
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use futures::stream::{self, StreamExt};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout};

const YEAR: Duration = Duration::from_secs(365 * 86_400);

async fn track(_parcel: u32) {
    sleep(Duration::from_secs(1)).await;
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let parcels = || stream::iter(0..100);
    let setting = "0";
    // ANCHOR: broken
    let limit: usize = setting.parse()?;
    let tracked = parcels().map(track).buffer_unordered(limit).count();
    // ANCHOR_END: broken
    assert!(timeout(YEAR, tracked).await.is_err());
    let tracked = parcels().map(track).buffered(limit).count();
    assert!(timeout(YEAR, tracked).await.is_err());
    let none = stream::iter(0..0).map(track).buffer_unordered(limit).count();
    assert!(timeout(YEAR, none).await.is_err(), "no parcel, and no end");
    println!("buffered, buffer_unordered: no end, even without a parcel");

    let permits = Semaphore::new(limit);
    assert!(timeout(YEAR, permits.acquire()).await.is_err());
    let permits = Semaphore::new(3);
    assert!(timeout(YEAR, permits.acquire_many(4)).await.is_err());
    println!("Semaphore: no end; nor for 4 permits of 3");

    let (pending, peak) = (AtomicU32::new(0), AtomicU32::new(0));
    let all = parcels().for_each_concurrent(limit, async |parcel| {
        peak.fetch_max(pending.fetch_add(1, Relaxed) + 1, Relaxed);
        track(parcel).await;
        pending.fetch_sub(1, Relaxed);
    });
    all.await;
    println!("for_each_concurrent: {peak:?} at once");
    assert_eq!(peak.into_inner(), 100);

    let fixed = async |setting: &str| {
        // ANCHOR: fixed
        let limit: NonZeroUsize = setting.parse()?;
        let tracked = parcels().map(track).buffer_unordered(limit.get());
        // ANCHOR_END: fixed
        anyhow::Ok(tracked.count().await)
    };
    let error = fixed(setting).await.expect_err("there is no such limit");
    println!("NonZeroUsize: {error}");
    let start = Instant::now();
    assert_eq!(fixed("3").await?, 100);
    assert_eq!(start.elapsed(), Duration::from_secs(34));
    Ok(())
}
// ANCHOR_END: all
