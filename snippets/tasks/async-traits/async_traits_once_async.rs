// ANCHOR: all
async fn twice(function: impl AsyncFn()) {
    function().await;
    function().await;
}

#[tokio::main]
async fn main() {
    let city = "Oslo".to_owned();
    // ANCHOR: broken
    twice(move || async move { println!("sent to {city}") }).await;
    // ANCHOR_END: broken
}
// ANCHOR_END: all
