// ANCHOR: all
use std::collections::HashMap;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep;

async fn track(parcel: u32) -> &'static str {
    sleep(Duration::from_secs(parcel.into())).await;
    assert!(parcel != 8, "a comma in the number");
    "in transit"
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let mut failed = Vec::new();
    // ANCHOR: broken
    let mut tasks = JoinSet::new();
    for parcel in [7, 8] {
        tasks.spawn(async move { (parcel, track(parcel).await) });
    }
    while let Some(end) = tasks.join_next().await {
        match end {
            Ok((parcel, status)) => println!("parcel {parcel}: {status}"),
            Err(error) => failed.push(error),
        }
    }
    // ANCHOR_END: broken
    println!("the key is in the result: {}", failed[0]);
    assert_eq!(failed.len(), 1);
    assert!(failed[0].is_panic());
    let text = "panicked with message \"a comma in the number\"";
    assert!(failed[0].to_string().ends_with(text));

    let mut ends = Vec::new();
    // ANCHOR: fixed
    let (mut tasks, mut parcels) = (JoinSet::new(), HashMap::new());
    for parcel in [7, 8] {
        parcels.insert(tasks.spawn(track(parcel)).id(), parcel);
    }
    while let Some(end) = tasks.join_next_with_id().await {
        let id = end.as_ref().map_or_else(|error| error.id(), |(id, _)| *id);
        ends.push((parcels.remove(&id), end.is_ok()));
    }
    // ANCHOR_END: fixed
    println!("the key is the task's id: {ends:?}");
    assert_eq!(ends, [(Some(7), true), (Some(8), false)]);
    assert!(parcels.is_empty());
}
// ANCHOR_END: all
