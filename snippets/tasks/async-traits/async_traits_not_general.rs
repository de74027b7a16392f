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
        let actor = String::from("Ada");
        until_good(async |take| {
            println!("{actor}, take {take}");
            take == 3
        })
        .await;
    });
    second_unit.await.expect("no panic");
}
// ANCHOR_END: all
