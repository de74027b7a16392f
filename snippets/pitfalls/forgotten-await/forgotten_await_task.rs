// ANCHOR: all
async fn notify(parcel: u32) {
    println!("parcel {parcel} has arrived");
}

// ANCHOR: main
#[tokio::main]
async fn main() {
    tokio::spawn(async { notify(7) });
}
// ANCHOR_END: main
// ANCHOR_END: all
