// ANCHOR: all
use tokio::task::{JoinHandle, yield_now};

// ANCHOR: broken
async fn retry(mut function: impl AsyncFnMut() -> bool) {
    while !function().await {}
}

fn start(carrier: String) -> JoinHandle<()> {
    tokio::spawn(async move {
        retry(async || ask(&carrier).await).await;
    })
}
// ANCHOR_END: broken

/// A request.
async fn ask(carrier: &str) -> bool {
    yield_now().await;
    !carrier.is_empty()
}

#[tokio::main]
async fn main() {
    start("post".to_owned()).await.expect("no panic");
}
// ANCHOR_END: all
