// ANCHOR: all
use std::pin::pin;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

const HOUR: Duration = Duration::from_secs(3600);

type Track = Mutex<Vec<&'static str>>;

async fn repair(track: &Track) {
    let _track = track.lock().await;
    sleep(2 * HOUR).await;
}

async fn drive(track: &Track) {
    track.lock().await.push("a train");
}

// ANCHOR: broken
// Broken: what is dropped is a reference. The train lives to the end of the
// function, and keeps its place in the queue.
#[expect(clippy::drop_non_drop, reason = "this is what goes wrong")]
async fn drops_the_pin(track: &Track) {
    let mut train = pin!(drive(track));
    if timeout(HOUR, &mut train).await.is_err() {
        drop(train);
        track.lock().await.push("a look");
    }
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: a box owns what is in it.
async fn drops_the_box(track: &Track) {
    let mut train = Box::pin(drive(track));
    if timeout(HOUR, &mut train).await.is_err() {
        drop(train);
        track.lock().await.push("a look");
    }
}
// ANCHOR_END: fixed

/// What is on the track by midnight.
async fn day(signal_box: impl AsyncFn(&Track)) -> Vec<&'static str> {
    let track = Track::default();
    let all = async { tokio::join!(repair(&track), signal_box(&track)) };
    _ = timeout(24 * HOUR, all).await;
    track.into_inner()
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let log = day(drops_the_pin).await;
    println!("the pin is dropped: {log:?}");
    assert_eq!(log, [""; 0]);

    let log = day(drops_the_box).await;
    println!("the box is dropped: {log:?}");
    assert_eq!(log, ["a look"]);
}
// ANCHOR_END: all
