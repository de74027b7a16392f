// ANCHOR: broken
#[tokio::main]
async fn main() {
    let parcel = String::from("LX 7");
    let task = tokio::spawn(track(&parcel));
    println!("{}", task.await.expect("no panic"));
}

async fn track(parcel: &str) -> String {
    format!("{parcel} is in Oslo")
}
// ANCHOR_END: broken
