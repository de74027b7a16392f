// ANCHOR: all
use std::rc::Rc;

use tokio::task::yield_now;

// ANCHOR: broken
async fn track() {
    let parcel = Rc::new(7);
    println!("parcel {parcel}");
    drop(parcel);
    yield_now().await; // a request
}

async fn start() {
    tokio::spawn(track()).await.expect("no panic");
}
// ANCHOR_END: broken

#[tokio::main]
async fn main() {
    start().await;
}
// ANCHOR_END: all
