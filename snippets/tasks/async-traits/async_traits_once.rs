// ANCHOR: all
use std::future::Future;

async fn twice<F: Future<Output = ()>>(function: impl Fn() -> F) {
    function().await;
    function().await;
}

#[tokio::main]
async fn main() {
    // ANCHOR: broken
    let city = "Oslo".to_owned();
    twice(move || async move { println!("sent to {city}") }).await;
    // ANCHOR_END: broken
}
// ANCHOR_END: all
