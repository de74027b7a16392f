// ANCHOR: all
async fn climb(step: u32) -> u32 {
    match step {
        1_000 => step,
        _ => tokio::spawn(climb(step + 1)).await.expect("no panic"),
    }
}

#[tokio::main]
async fn main() {
    println!("{}", climb(0).await);
}
// ANCHOR_END: all
