// ANCHOR: all
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use futures::future::join_all;
use futures::stream::{self, StreamExt};
use tokio::time::{Instant, sleep};

/// A carrier that handles 100 requests at once, and refuses the others.
#[derive(Default)]
struct Carrier {
    pending: AtomicUsize,
}

impl Carrier {
    async fn track(&self, parcel: u32) -> Result<u32, &'static str> {
        let pending = self.pending.fetch_add(1, Relaxed) + 1;
        sleep(Duration::from_secs(1)).await;
        self.pending.fetch_sub(1, Relaxed);
        if pending <= 100 { Ok(parcel) } else { Err("503 Service Unavailable") }
    }
}

fn failed(results: &[Result<u32, &str>]) -> usize {
    results.iter().filter(|result| result.is_err()).count()
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let carrier = Carrier::default();
    let start = Instant::now();

    // ANCHOR: broken
    let requests = (0..1_000).map(|parcel| carrier.track(parcel));
    let results = join_all(requests).await;
    // ANCHOR_END: broken
    println!("join_all: {} of 1000 fail", failed(&results));
    assert_eq!(failed(&results), 900);
    assert_eq!(start.elapsed(), Duration::from_secs(1));

    let start = Instant::now();
    // ANCHOR: fixed
    let requests = (0..1_000).map(|parcel| carrier.track(parcel));
    let requests = stream::iter(requests).buffered(100);
    let results: Vec<_> = requests.collect().await;
    // ANCHOR_END: fixed
    println!("buffered(100): {} of 1000 fail", failed(&results));
    assert_eq!(failed(&results), 0);
    assert!(results.into_iter().flatten().eq(0..1_000));
    assert_eq!(start.elapsed(), Duration::from_secs(10));
}
// ANCHOR_END: all
