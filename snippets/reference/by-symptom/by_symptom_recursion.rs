// ANCHOR: all
async fn weigh(boxes: u32) -> u32 {
    if boxes == 0 { 0 } else { 500 + weigh(boxes - 1).await }
}

#[tokio::main]
async fn main() {
    println!("{}", weigh(2).await);
}
// ANCHOR_END: all
