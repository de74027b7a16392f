// ANCHOR: all
use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt};
use tokio::time::{Instant, sleep};

const MINUTE: Duration = Duration::from_secs(60);

/// Asks for a parcel's status. Parcel 8 is found at the second attempt.
async fn track(parcel: u32, minutes: u32, attempt: u32) -> (u32, bool) {
    sleep(minutes * MINUTE).await;
    (parcel, parcel != 8 || attempt == 2)
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let (start, mut got) = (Instant::now(), Vec::new());
    let now = || start.elapsed().as_secs() / 60;
    // ANCHOR: more
    let first = [track(7, 90, 1), track(8, 20, 1), track(9, 45, 1)];
    let mut results = FuturesUnordered::from_iter(first);
    while let Some((parcel, found)) = results.next().await {
        got.push((now(), parcel, found));
        if !found {
            results.push(track(parcel, 30, 2)); // it begins at the next `next`
        }
    }
    // ANCHOR_END: more
    for (minute, parcel, found) in &got {
        let status = if *found { "found" } else { "asked again" };
        println!("after {minute} min: parcel {parcel} is {status}");
    }
    let (first, second) = ((20, 8, false), (50, 8, true));
    assert_eq!(got, [first, (45, 9, true), second, (90, 7, true)]);
}
// ANCHOR_END: all
