// ANCHOR: all
use std::sync::Mutex;

use tokio::task::yield_now;

static PAGES: Mutex<u32> = Mutex::new(0);

async fn count_and_store() {
    let mut pages = PAGES.lock().expect("never poisoned");
    *pages += 1;
    yield_now().await; // stores the page
}

#[tokio::main]
async fn main() {
    count_and_store().await;
}
// ANCHOR_END: all
