// ANCHOR: all
async fn twice(scene: impl AsyncFn()) {
    scene().await;
    scene().await;
}

#[tokio::main]
async fn main() {
    let vase = String::from("vase");
    twice(move || async move { println!("throws the {vase}") }).await;
}
// ANCHOR_END: all
