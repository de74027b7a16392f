// ANCHOR: all
use std::sync::{Arc, Mutex};

use tokio::task::yield_now;

type Count = Arc<Mutex<u32>>;

async fn count_and_store(parcels: Count) {
    let mut count = parcels.lock().expect("never poisoned");
    *count += 1;
    store().await;
}

async fn store() {
    yield_now().await;
}

// ANCHOR: broken_main
#[tokio::main]
async fn main() {
    count_and_store(Count::default()).await;
}
// ANCHOR_END: broken_main
// ANCHOR_END: all
