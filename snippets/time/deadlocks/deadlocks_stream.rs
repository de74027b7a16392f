// ANCHOR: all
use std::time::Duration;

use futures::stream::{self, StreamExt};
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

type Log = Mutex<Vec<String>>;

async fn track(log: &Log, parcel: u32) -> u32 {
    let mut log = log.lock().await;
    sleep(SECOND).await;
    log.push(format!("{parcel} tracked"));
    parcel
}

async fn store(log: &Log, parcel: u32) {
    log.lock().await.push(format!("{parcel} stored"));
}

// ANCHOR: broken
async fn in_the_body(log: &Log) {
    let track = |parcel| track(log, parcel);
    let mut parcels = stream::iter(1..=3).map(track).buffer_unordered(2);
    while let Some(parcel) = parcels.next().await {
        store(log, parcel).await; // the buffered futures are not polled
    }
}
// ANCHOR_END: broken

// ANCHOR: fixed
async fn in_the_future(log: &Log) {
    let both = async |parcel| store(log, track(log, parcel).await).await;
    let parcels = stream::iter(1..=3).map(both).buffer_unordered(2);
    parcels.collect::<()>().await;
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let log = Log::default();
    let end = timeout(60 * SECOND, in_the_body(&log)).await;
    let events = log.lock().await.join(", ");
    println!("stored in the body: {end:?}, {events}");
    assert!(end.is_err());
    assert_eq!(events, "1 tracked");

    let log = Log::default();
    let end = timeout(60 * SECOND, in_the_future(&log)).await;
    let events = log.lock().await.join(", ");
    println!("stored in the future: {end:?}, {events}");
    assert!(end.is_ok());
    let expected = "1 tracked, 2 tracked, 1 stored, 2 stored, \
                    3 tracked, 3 stored";
    assert_eq!(events, expected);
}
// ANCHOR_END: all
