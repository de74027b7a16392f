//! A task runs on another thread than `main`, so its future is `Send`.
use std::sync::Arc;
use std::thread;

// ANCHOR: fixed
async fn track() -> String {
    let parcel = Arc::new(String::from("LX 7"));
    let city = locate().await;
    format!("{parcel} is in {city}")
}
// ANCHOR_END: fixed

async fn locate() -> &'static str {
    "Oslo"
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let task = tokio::spawn(async { (track().await, thread::current().id()) });
    let (status, thread) = task.await?;
    assert_eq!(status, "LX 7 is in Oslo");
    assert_ne!(thread, thread::current().id());
    println!("{status}: on another thread than main");
    Ok(())
}
