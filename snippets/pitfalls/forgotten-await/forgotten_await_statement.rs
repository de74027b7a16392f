// ANCHOR: all
async fn notify(parcel: u32) {
    println!("parcel {parcel} has arrived");
}

#[tokio::main]
async fn main() {
    notify(7);
}
// ANCHOR_END: all
