// ANCHOR: all
use std::time::Duration;

use futures::{Stream, StreamExt, stream};
use tokio::time::{Instant, sleep};

/// Parcels 1 to 5: three at once, one after two seconds, one after a minute.
fn parcels() -> impl Stream<Item = u32> {
    stream::iter([(1, 0), (2, 0), (3, 0), (4, 2), (5, 58)]).then(
        async |(parcel, seconds)| {
            sleep(Duration::from_secs(seconds)).await;
            parcel
        },
    )
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let (start, parcels) = (Instant::now(), parcels());
    let second = Duration::from_secs(1);
    // ANCHOR: fixed
    let batches = tokio_stream::StreamExt::chunks_timeout(parcels, 2, second);
    let batches = batches.map(|batch| (start.elapsed().as_secs(), batch));
    let batches: Vec<(u64, Vec<u32>)> = batches.collect().await;
    // ANCHOR_END: fixed
    for (seconds, batch) in &batches {
        println!("after {seconds} s: {batch:?}");
    }
    let expected = [(0, vec![1, 2]), (1, vec![3]), (3, vec![4]), (60, vec![5])];
    assert_eq!(batches, expected);
}
// ANCHOR_END: all
