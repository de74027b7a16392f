// ANCHOR: all
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use tokio::task::JoinSet;

#[derive(Default)]
struct Carrier {
    tracked: AtomicU32,
}

impl Carrier {
    async fn track(&self, _parcel: &str) {
        self.tracked.fetch_add(1, Relaxed);
    }
}

#[tokio::main]
async fn main() {
    // ANCHOR: fixed
    let carrier = Arc::new(Carrier::default());
    let mut tasks = JoinSet::new();
    for parcel in ["parcel 7", "parcel 8"] {
        let carrier = Arc::clone(&carrier);
        tasks.spawn(async move { carrier.track(parcel).await });
    }
    // ANCHOR_END: fixed
    tasks.join_all().await;
    assert_eq!(carrier.tracked.load(Relaxed), 2);
    println!("both are tracked");
}
// ANCHOR_END: all
