// ANCHOR: all
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt;
use futures::future::select_ok;
use futures::stream::{FuturesUnordered, StreamExt};
use tokio::time::sleep;

// ANCHOR: fixed
/// The first value, or all errors, in the order in which they come.
async fn first_success<T, E>(
    futures: impl IntoIterator<Item = impl Future<Output = Result<T, E>>>,
) -> Result<T, Vec<E>> {
    let mut futures: FuturesUnordered<_> = futures.into_iter().collect();
    let mut errors = Vec::new();
    while let Some(end) = futures.next().await {
        match end {
            Ok(value) => return Ok(value), // drops the others
            Err(error) => errors.push(error),
        }
    }
    Err(errors)
}
// ANCHOR_END: fixed

/// It borrows the parcel. Carriers 1 and 2 do not know it.
async fn track(parcel: &str, carrier: u64) -> Result<String, &'static str> {
    sleep(Duration::from_secs(carrier)).await;
    match carrier {
        1 => Err("503 Service Unavailable"),
        2 => Err("404 Not Found"),
        3 => Ok(format!("{parcel} is in transit")),
        _ => panic!("a comma in the number"),
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let parcel = "parcel 7".to_owned();
    let track = |carrier| track(&parcel, carrier);
    let carriers = [2, 1];
    // ANCHOR: broken
    let requests = carriers.map(|carrier| track(carrier).boxed());
    let status = select_ok(requests).await.map(|(status, _)| status);
    // ANCHOR_END: broken
    println!("select_ok: {status:?}");
    assert_eq!(status, Err("404 Not Found"));

    let none = async { select_ok([0; 0].map(|c| track(c).boxed())).await };
    let none = AssertUnwindSafe(none).catch_unwind().await;
    println!("select_ok of no future: a panic");
    assert!(none.is_err());

    let status = first_success(carriers.map(track)).await;
    println!("first_success: {status:?}");
    let errors = vec!["503 Service Unavailable", "404 Not Found"];
    assert_eq!(status, Err(errors));
    assert_eq!(first_success([0; 0].map(track)).await, Err(vec![]));

    let status = first_success([9, 3, 2].map(track)).await;
    println!("first_success: {status:?}");
    assert_eq!(status, Ok("parcel 7 is in transit".to_owned()));

    let panics = AssertUnwindSafe(first_success([9, 99].map(track)));
    println!("a panic: it ends the caller");
    assert!(panics.catch_unwind().await.is_err());
}
// ANCHOR_END: all
