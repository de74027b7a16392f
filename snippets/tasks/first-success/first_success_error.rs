// ANCHOR: all
use std::time::Duration;

use futures::FutureExt;
use futures::future::select_all;
use tokio::time::sleep;

/// Carrier 1 knows no parcel, and says so at once.
async fn track(carrier: u64) -> Result<&'static str, &'static str> {
    sleep(Duration::from_secs(carrier)).await;
    match carrier {
        1 => Err("404 Not Found"),
        _ => Ok("in transit"),
    }
}

async fn broken(one: u64, two: u64) -> Result<&'static str, &'static str> {
    // ANCHOR: broken
    let first = tokio::select! {
        status = track(one) => status,
        status = track(two) => status,
    };
    // ANCHOR_END: broken
    first
}

async fn fixed(one: u64, two: u64) -> Option<&'static str> {
    // ANCHOR: fixed
    let first = tokio::select! {
        Ok(status) = track(one) => Some(status),
        Ok(status) = track(two) => Some(status),
        else => None,
    };
    // ANCHOR_END: fixed
    first
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let first = broken(1, 2).await;
    println!("select!: {first:?}");
    assert_eq!(first, Err("404 Not Found"));

    let (first, ..) = select_all([2, 1].map(|c| track(c).boxed())).await;
    println!("select_all: {first:?}");
    assert_eq!(first, Err("404 Not Found"));

    let first = fixed(1, 2).await;
    println!("select! with a pattern: {first:?}");
    assert_eq!(first, Some("in transit"));
    assert_eq!(fixed(2, 1).await, Some("in transit"));

    let first = fixed(1, 1).await;
    println!("none matches: {first:?}");
    assert_eq!(first, None);
}
// ANCHOR_END: all
