// ANCHOR: all
use tokio::task::yield_now;
use tracing::{info, info_span};

async fn enter() {
    let _inside = info_span!("case", number = 7).entered();
    yield_now().await;
    info!("closed");
}

#[tokio::main]
async fn main() {
    tokio::spawn(enter()).await.expect("no panic");
}
// ANCHOR_END: all
