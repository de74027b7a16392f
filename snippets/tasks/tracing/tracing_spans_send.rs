// ANCHOR: all
use tokio::task::yield_now;
use tracing::{info, info_span};

async fn handler() {
    let _guard = info_span!("request", id = 7).entered();
    yield_now().await;
    info!("done");
}

#[tokio::main]
async fn main() {
    tokio::spawn(handler()).await.expect("no panic");
}
// ANCHOR_END: all
