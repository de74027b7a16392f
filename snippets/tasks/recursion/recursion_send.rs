// ANCHOR: all
async fn open(item: u32) -> u32 {
    match item {
        1_000 => item,
        _ => tokio::spawn(open(item + 1)).await.expect("no panic"),
    }
}

#[tokio::main]
async fn main() {
    println!("{}", open(0).await);
}
// ANCHOR_END: all
