// ANCHOR: all
async fn main() {
    println!("parcel 7");
}
// ANCHOR_END: all
