// ANCHOR: all
use std::collections::HashSet;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::select;
use tokio::time::{sleep, timeout};
use tokio_util::task::TaskTracker;
use uuid::Uuid;

const SECOND: Duration = Duration::from_secs(1);

/// Sells one label for each key, also when its client has gone.
#[derive(Clone, Default)]
struct Carrier {
    keys: Arc<Mutex<HashSet<Uuid>>>,
    tracker: TaskTracker,
}

impl Carrier {
    async fn buy(&self, key: Uuid) {
        let keys = Arc::clone(&self.keys);
        let response = self.tracker.spawn(async move {
            sleep(3 * SECOND).await;
            keys.lock().expect("no panic").insert(key);
        });
        response.await.expect("no panic");
    }

    async fn labels(self) -> usize {
        self.tracker.close();
        self.tracker.wait().await;
        self.keys.lock().expect("no panic").len()
    }
}

/// A second request after two seconds.
async fn hedged(request: impl AsyncFn()) {
    let mut first = pin!(request());
    if timeout(2 * SECOND, &mut first).await.is_err() {
        select(first, pin!(request())).await;
    }
}

// ANCHOR: broken
async fn buy_twice(carrier: &Carrier) {
    hedged(async || carrier.buy(Uuid::new_v4()).await).await;
}
// ANCHOR_END: broken

// ANCHOR: fixed
async fn buy_once(carrier: &Carrier) {
    let key = Uuid::new_v4(); // of this purchase, for both requests
    hedged(async || carrier.buy(key).await).await;
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let carrier = Carrier::default();
    buy_twice(&carrier).await;
    let labels = carrier.labels().await;
    println!("a key for each request: {labels} labels");
    assert_eq!(labels, 2);

    let carrier = Carrier::default();
    buy_once(&carrier).await;
    let labels = carrier.labels().await;
    println!("a key for the purchase: {labels} label");
    assert_eq!(labels, 1);
}
// ANCHOR_END: all
