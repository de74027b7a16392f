// ANCHOR: all
async fn is_here(parcel: u32) -> bool {
    parcel != 7
}

#[tokio::main]
async fn main() {
    if is_here(7) {
        println!("parcel 7 has arrived");
    }
}
// ANCHOR_END: all
