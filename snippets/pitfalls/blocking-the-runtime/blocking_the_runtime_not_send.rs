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

// ANCHOR: broken_spawn
#[tokio::main]
async fn main() -> anyhow::Result<()> {
    Ok(tokio::spawn(count_and_store(Count::default())).await?)
}
// ANCHOR_END: broken_spawn
// ANCHOR_END: all
