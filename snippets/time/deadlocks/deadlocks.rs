// ANCHOR: all
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::task::yield_now;
use tokio::time::{sleep, timeout};

type Track = Arc<Mutex<Vec<&'static str>>>;

const HOUR: Duration = Duration::from_secs(3600);

async fn repair(track: Track) {
    let mut log = track.lock().await;
    sleep(2 * HOUR).await;
    log.push("repaired");
}

// ANCHOR: drive
async fn drive(track: Track) {
    track.lock().await.push("a train");
}
// ANCHOR_END: drive

// ANCHOR: broken
// Broken: while this one waits for the track, nobody polls the train.
async fn lends(track: Track) {
    let mut train = pin!(drive(track.clone()));
    tokio::select! {
        () = &mut train => {}
        () = sleep(HOUR) => {
            track.lock().await.push("a look");
            train.await;
        }
    }
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: a task is polled whatever its owner does.
async fn spawns(track: Track) {
    // ANCHOR: train
    let mut train = tokio::spawn(drive(track.clone()));
    // ANCHOR_END: train
    // ANCHOR: late
    tokio::select! {
        end = &mut train => end.expect("no panic"),
        () = sleep(HOUR) => {
            track.lock().await.push("a look");
            train.await.expect("no panic");
        }
    }
    // ANCHOR_END: late
}
// ANCHOR_END: fixed

/// What has been on the track. Nothing, if it stands still for a day.
async fn day(
    signal_box: impl AsyncFn(Track),
) -> anyhow::Result<Option<Vec<&'static str>>> {
    let track = Track::default();
    let repairing = tokio::spawn(repair(track.clone()));
    yield_now().await; // the workers are on the track
    let at_noon = async {
        sleep(12 * HOUR).await;
        assert!(repairing.is_finished());
        track.try_lock().is_err()
    };
    let (trains, locked) =
        tokio::join!(timeout(24 * HOUR, signal_box(track.clone())), at_noon);
    assert_eq!(trains.is_err(), locked, "locked, and nobody is there");
    let log = track.try_lock()?.clone();
    Ok(trains.is_ok().then_some(log))
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let log = day(lends).await?;
    println!("lent: {log:?}");
    assert_eq!(log, None);

    let log = day(spawns).await?;
    println!("a task: {log:?}");
    assert_eq!(log, Some(vec!["repaired", "a train", "a look"]));
    Ok(())
}
// ANCHOR_END: all
