// ANCHOR: all
use std::future::Future;
use std::pin::{Pin, pin};

async fn track(parcel: u32) -> String {
    format!("parcel {parcel} is in transit")
}

// ANCHOR: broken
fn request(parcel: u32) -> Pin<&'static mut impl Future<Output = String>> {
    pin!(track(parcel))
}
// ANCHOR_END: broken

#[tokio::main]
async fn main() {
    request(7).await;
}
// ANCHOR_END: all
