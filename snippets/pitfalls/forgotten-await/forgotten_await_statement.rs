// ANCHOR: all
async fn send_receipt(order: u32) {
    println!("receipt for order {order}");
}

#[tokio::main]
async fn main() {
    send_receipt(7);
}
// ANCHOR_END: all
