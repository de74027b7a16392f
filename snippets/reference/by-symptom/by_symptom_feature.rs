// ANCHOR: all
fn main() {
    let client = reqwest::Client::builder().cookie_store(true).build();
    println!("{}", client.is_ok());
}
// ANCHOR_END: all
