// ANCHOR: all
async fn spokes(wheels: u32) -> u32 {
    if wheels == 0 { 0 } else { 36 + spokes(wheels - 1).await }
}

#[tokio::main]
async fn main() {
    println!("{}", spokes(2).await);
}
// ANCHOR_END: all
