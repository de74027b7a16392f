// ANCHOR: all
use std::time::Duration;

use futures::stream::{self, StreamExt};
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

const HOUR: Duration = Duration::from_secs(3600);

type Track = Mutex<Vec<String>>;

async fn drive(track: &Track, train: u32) -> u32 {
    let mut log = track.lock().await;
    sleep(HOUR).await;
    log.push(format!("{train} drives"));
    train
}

async fn note(track: &Track, train: u32) {
    track.lock().await.push(format!("{train} noted"));
}

// ANCHOR: broken
// Broken: while the body waits for the track, nobody polls the second train,
// and the track is his.
async fn in_the_body(track: &Track) {
    let drive = |train| drive(track, train);
    let mut trains = stream::iter(1..=3).map(drive).buffer_unordered(2);
    while let Some(train) = trains.next().await {
        note(track, train).await;
    }
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: what is to be done for each is a part of it.
async fn in_the_future(track: &Track) {
    let drive = async |train| note(track, drive(track, train).await).await;
    let trains = stream::iter(1..=3).map(drive).buffer_unordered(2);
    trains.collect::<()>().await;
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let track = Track::default();
    let end = timeout(24 * HOUR, in_the_body(&track)).await;
    let log = track.lock().await.join(", ");
    println!("in the body: {log}, {end:?}");
    assert!(end.is_err());
    assert_eq!(log, "1 drives");

    let track = Track::default();
    let end = timeout(24 * HOUR, in_the_future(&track)).await;
    let log = track.lock().await.join(", ");
    println!("in the future: {log}, {end:?}");
    assert!(end.is_ok());
    assert_eq!(log.matches("noted").count(), 3);
}
// ANCHOR_END: all
