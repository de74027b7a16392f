// ANCHOR: broken
use std::rc::Rc;

#[tokio::main]
async fn main() {
    let task = tokio::spawn(track());
    println!("{}", task.await.expect("no panic"));
}

async fn track() -> String {
    let parcel = Rc::new(String::from("LX 7"));
    let city = locate().await;
    format!("{parcel} is in {city}")
}
// ANCHOR_END: broken

async fn locate() -> &'static str {
    "Oslo"
}
