// ANCHOR: all
use std::sync::{Arc, Mutex};

use tokio::task::yield_now;

/// Tells the customer.
async fn notify() {
    yield_now().await;
}

// ANCHOR: broken
async fn buy(credit: Arc<Mutex<u32>>) {
    let mut guard = credit.lock().expect("not poisoned");
    *guard -= 30;
    drop(guard);
    notify().await;
}
// ANCHOR_END: broken

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    Ok(tokio::spawn(buy(Arc::new(Mutex::new(100)))).await?)
}
// ANCHOR_END: all
