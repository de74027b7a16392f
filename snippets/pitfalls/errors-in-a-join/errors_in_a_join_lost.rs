// ANCHOR: all
use std::iter::zip;
use std::time::Duration;

use futures::future::join_all;
use tokio::time::sleep;

/// Keys 1 and 3 are refused.
async fn buy(key: u32) -> Result<u32, &'static str> {
    sleep(Duration::from_secs(1)).await;
    match key {
        1 => Err("402 Payment Required"),
        3 => Err("404 Not Found"),
        _ => Ok(key),
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let keys = [1, 2, 3];
    // ANCHOR: broken
    let results = join_all(keys.map(buy)).await;
    let labels: Result<Vec<_>, _> = results.into_iter().collect();
    // ANCHOR_END: broken
    println!("collect: {labels:?}");
    assert_eq!(labels, Err("402 Payment Required"));

    // ANCHOR: fixed
    let (mut labels, mut errors) = (Vec::new(), Vec::new());
    for (key, result) in zip(keys, join_all(keys.map(buy)).await) {
        match result {
            Ok(label) => labels.push(label),
            Err(error) => errors.push((key, error)),
        }
    }
    // ANCHOR_END: fixed
    println!("a loop: {labels:?}, {errors:?}");
    assert_eq!(labels, [2]);
    assert_eq!(errors, [(1, "402 Payment Required"), (3, "404 Not Found")]);
}
// ANCHOR_END: all
