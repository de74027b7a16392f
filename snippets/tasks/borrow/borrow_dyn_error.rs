// ANCHOR: all
use std::error::Error;

use tokio::task::yield_now;

async fn ask() -> Result<u32, Box<dyn Error>> {
    Err("404 Not Found".into())
}

// ANCHOR: broken
async fn track() -> u32 {
    match ask().await {
        Ok(parcel) => parcel,
        Err(error) => {
            yield_now().await; // a wait before the next attempt
            println!("{error}");
            0
        }
    }
}
// ANCHOR_END: broken

async fn start() {
    tokio::spawn(track()).await.expect("no panic");
}

#[tokio::main]
async fn main() {
    start().await;
}
// ANCHOR_END: all
