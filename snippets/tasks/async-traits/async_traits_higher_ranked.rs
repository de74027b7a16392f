// ANCHOR: all
async fn until_good(mut scene: impl AsyncFnMut(u32) -> bool) {
    let mut take = 1;
    while !scene(take).await {
        take += 1;
    }
}

#[tokio::main]
async fn main() {
    let second_unit = tokio::spawn(async {
        let mut reel = Vec::new();
        until_good(async |take| {
            reel.push(take);
            take == 3
        })
        .await;
        reel
    });
    second_unit.await.expect("no panic");
}
// ANCHOR_END: all
