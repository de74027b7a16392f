// ANCHOR: all
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use futures::stream::{self, StreamExt};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

/// A car is the minutes that it takes to wash.
const CARS: [u64; 6] = [10, 20, 10, 20, 10, 10];

#[derive(Default)]
struct Wash {
    washing: AtomicUsize,
    peak: AtomicUsize,
}

impl Wash {
    // ANCHOR: car
    async fn wash(&self, car: u64) -> u64 {
        let washing = self.washing.fetch_add(1, Relaxed) + 1;
        self.peak.fetch_max(washing, Relaxed);
        sleep(Duration::from_secs(60 * car)).await;
        self.washing.fetch_sub(1, Relaxed);
        car
    }
    // ANCHOR_END: car
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let minutes = |start: Instant| start.elapsed().as_secs() / 60;

    // ANCHOR: stream
    // Futures: the stream begins the next one when there is room.
    let (start, hall) = (Instant::now(), Wash::default());
    let washes = stream::iter(CARS).map(|car| hall.wash(car));
    let washed: Vec<_> = washes.buffer_unordered(3).collect().await;
    let (peak, time) = (hall.peak.into_inner(), minutes(start));
    println!("buffer_unordered: {peak} at once, {time} min");
    assert_eq!((peak, time, washed.len()), (3, 30, 6));
    // ANCHOR_END: stream

    // ANCHOR: tasks
    // Tasks: no permit, no task. It comes back when the task drops it.
    let (start, hall) = (Instant::now(), Arc::new(Wash::default()));
    let mut washes = JoinSet::new();
    // ANCHOR: bays
    let bays = Arc::new(Semaphore::new(3));
    for car in CARS {
        let bay = Arc::clone(&bays).acquire_owned().await?;
        let hall = Arc::clone(&hall);
        washes.spawn(async move {
            let _bay = bay;
            hall.wash(car).await
        });
    }
    // ANCHOR_END: bays
    let washed = washes.join_all().await;
    let (peak, time) = (hall.peak.load(Relaxed), minutes(start));
    println!("Semaphore: {peak} at once, {time} min");
    // ANCHOR: peak
    assert_eq!((peak, time, washed.len()), (3, 30, 6));
    // ANCHOR_END: peak
    // ANCHOR_END: tasks
    Ok(())
}
// ANCHOR_END: all
