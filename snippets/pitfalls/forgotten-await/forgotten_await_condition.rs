// ANCHOR: all
async fn is_paid(order: u32) -> bool {
    order != 7
}

#[tokio::main]
async fn main() {
    if is_paid(7) {
        println!("send the receipt");
    }
}
// ANCHOR_END: all
