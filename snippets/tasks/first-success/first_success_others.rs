// ANCHOR: all
use std::time::Duration;

use futures::FutureExt;
use futures::future::select_ok;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

/// Your telephone has three lines.
async fn call(lines: &Semaphore, minutes: u64) -> Result<u64, &'static str> {
    let _line = lines.acquire().await.map_err(|_| "no telephone")?;
    sleep(Duration::from_secs(60 * minutes)).await;
    Ok(minutes)
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let lines = Semaphore::new(3);
    let calls = || [9, 4, 7].map(|minutes| call(&lines, minutes).boxed());
    let hour = Duration::from_secs(3600);

    // ANCHOR: broken
    // Broken: the others are not dropped, and not polled. They hold the line.
    let (_taxi, others) = select_ok(calls()).await.expect("a car");
    println!("others: {} of 3 lines free", lines.available_permits());
    let two = timeout(hour, lines.acquire_many(2)).await;
    assert!(two.is_err(), "an hour later: nobody hangs up");
    drop(others);
    assert_eq!(lines.available_permits(), 3);
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: what `_` takes is dropped at the end of this statement.
    let (_taxi, _) = select_ok(calls()).await.expect("a car");
    println!("_: {} of 3 lines free", lines.available_permits());
    let two = timeout(hour, lines.acquire_many(2)).await;
    assert!(two.is_ok());
    // ANCHOR_END: fixed
}
// ANCHOR_END: all
