// ANCHOR: all
use std::pin::pin;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

type Events = Mutex<Vec<&'static str>>;

async fn sync(events: &Events) {
    let _events = events.lock().await;
    sleep(2 * SECOND).await;
}

async fn add_scan(events: &Events) {
    events.lock().await.push("scan");
}

#[expect(clippy::drop_non_drop, reason = "this is what goes wrong")]
async fn drops_the_pin(events: &Events) {
    // ANCHOR: broken
    let mut scan = pin!(add_scan(events));
    if timeout(SECOND, &mut scan).await.is_err() {
        drop(scan); // drops a reference, and the future lives on
        events.lock().await.push("late");
    }
    // ANCHOR_END: broken
}

async fn drops_the_box(events: &Events) {
    // ANCHOR: fixed
    let mut scan = Box::pin(add_scan(events));
    if timeout(SECOND, &mut scan).await.is_err() {
        drop(scan);
        events.lock().await.push("late");
    }
    // ANCHOR_END: fixed
}

/// What has happened after a minute.
async fn minute(scan: impl AsyncFn(&Events)) -> Vec<&'static str> {
    let events = Events::default();
    let all = async { tokio::join!(sync(&events), scan(&events)) };
    _ = timeout(60 * SECOND, all).await;
    events.into_inner()
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let events = minute(drops_the_pin).await;
    println!("the pin is dropped: {events:?}");
    assert_eq!(events, [""; 0]);

    let events = minute(drops_the_box).await;
    println!("the box is dropped: {events:?}");
    assert_eq!(events, ["late"]);
}
// ANCHOR_END: all
