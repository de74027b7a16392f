// ANCHOR: all
use std::sync::{Arc, Mutex};

use tokio::task::yield_now;

async fn raise(price: Arc<Mutex<u32>>) {
    let mut guard = price.lock().expect("never poisoned");
    *guard += 10;
    drop(guard);
    yield_now().await; // tells the room
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    Ok(tokio::spawn(raise(Arc::default())).await?)
}
// ANCHOR_END: all
