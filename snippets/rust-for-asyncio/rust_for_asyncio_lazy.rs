// ANCHOR: broken
#[tokio::main]
async fn main() {
    notify(7);
}

async fn notify(parcel: u32) {
    println!("parcel {parcel} has arrived");
}
// ANCHOR_END: broken
