// ANCHOR: all
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

#[derive(Default)]
struct State {
    parcels: Mutex<Vec<u32>>,
    labels: Mutex<Vec<u32>>,
}

/// Takes the parcels first.
async fn add_label(state: &State) {
    let mut parcels = state.parcels.lock().await;
    sleep(SECOND).await; // buys a label
    state.labels.lock().await.extend(parcels.pop());
}

async fn labels_first(state: &State) {
    // ANCHOR: broken
    let mut labels = state.labels.lock().await;
    sleep(SECOND).await; // returns the label to the carrier
    state.parcels.lock().await.extend(labels.pop());
    // ANCHOR_END: broken
}

async fn parcels_first(state: &State) {
    // ANCHOR: fixed
    let mut parcels = state.parcels.lock().await;
    let mut labels = state.labels.lock().await;
    sleep(SECOND).await;
    parcels.extend(labels.pop());
    // ANCHOR_END: fixed
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let state = State::default();
    state.parcels.lock().await.push(7);
    state.labels.lock().await.push(8);
    let both = async { tokio::join!(add_label(&state), labels_first(&state)) };
    let end = timeout(60 * SECOND, both).await;
    println!("two orders: {end:?}");
    assert!(end.is_err());

    let start = Instant::now();
    let both = async { tokio::join!(add_label(&state), parcels_first(&state)) };
    let end = timeout(60 * SECOND, both).await;
    println!("one order: {end:?}");
    assert!(end.is_ok());
    assert_eq!(start.elapsed(), 2 * SECOND, "one after the other");
    let parcels = state.parcels.lock().await.clone();
    let labels = state.labels.lock().await.clone();
    assert_eq!((parcels, labels), (vec![7], vec![8]));
}
// ANCHOR_END: all
