// ANCHOR: all
use std::time::Duration;

use futures::{StreamExt, stream};
use tokio::runtime::Builder;
use tokio::sync::Barrier;
use tokio::time::{Instant, error::Elapsed, timeout};

/// A fake carrier: it answers when so many requests are waiting.
struct Carrier(Barrier);

impl Carrier {
    async fn request(&self, parcel: u32) -> u32 {
        self.0.wait().await;
        parcel * 10
    }
}

async fn three_at_a_time(carrier: &Carrier, parcels: &[u32]) -> Vec<u32> {
    let requests = parcels.iter().map(|&parcel| carrier.request(parcel));
    stream::iter(requests).buffered(3).collect().await
}

async fn one_by_one(carrier: &Carrier, parcels: &[u32]) -> Vec<u32> {
    let mut results = Vec::new();
    for &parcel in parcels {
        results.push(carrier.request(parcel).await);
    }
    results
}

async fn of_results(
    track_all: impl AsyncFn(&Carrier, &[u32]) -> Vec<u32>,
) -> Vec<u32> {
    // ANCHOR: broken
    let carrier = Carrier(Barrier::new(1)); // answers each request at once
    let results = track_all(&carrier, &[7, 8, 9]).await;
    // ANCHOR_END: broken
    results
}

async fn of_requests(
    track_all: impl AsyncFn(&Carrier, &[u32]) -> Vec<u32>,
) -> Result<Vec<u32>, Elapsed> {
    // ANCHOR: fixed
    let carrier = Carrier(Barrier::new(3)); // answers three together
    let results = track_all(&carrier, &[7, 8, 9]);
    let results = timeout(Duration::from_secs(5), results).await;
    // ANCHOR_END: fixed
    results
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> std::io::Result<()> {
    let expected = vec![70, 80, 90];
    for results in
        [of_results(three_at_a_time).await, of_results(one_by_one).await]
    {
        println!("answered at once: {results:?}");
        assert_eq!(results, expected);
    }
    let results = of_requests(three_at_a_time).await;
    println!("answered together, three at a time: {results:?}");
    assert_eq!(results, Ok(expected.clone()));
    let start = Instant::now();
    let results = of_requests(one_by_one).await;
    println!("answered together, one by one: {results:?}");
    assert!(results.is_err());
    assert_eq!(start.elapsed(), Duration::from_secs(5));

    // With a running clock, on a runtime of several threads.
    let runtime = Builder::new_multi_thread().enable_time().build()?;
    let test = move || runtime.block_on(of_requests(three_at_a_time));
    let results = std::thread::spawn(test).join().expect("no panic");
    assert_eq!(results, Ok(expected));
    Ok(())
}
// ANCHOR_END: all
