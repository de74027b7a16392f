// ANCHOR: all
use std::sync::Arc;

use moka::future::Cache;

const MB: u64 = 1_000_000;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    // ANCHOR: broken
    let labels = Cache::builder().max_capacity(100).build();
    // ANCHOR_END: broken
    let label: Arc<[u8]> = vec![0; 1_000_000].into();
    for parcel in 0..100_u32 {
        labels.insert(parcel, label.clone()).await;
    }
    labels.run_pending_tasks().await;
    println!("a capacity of 100: {} labels of 1 MB", labels.entry_count());
    assert_eq!(labels.entry_count(), 100);

    // ANCHOR: fixed
    let labels = Cache::builder()
        .weigher(|_parcel: &u32, label: &Arc<[u8]>| {
            label.len().try_into().unwrap_or(u32::MAX)
        })
        .max_capacity(10 * MB)
        .build();
    // ANCHOR_END: fixed
    for parcel in 0..100 {
        labels.insert(parcel, label.clone()).await;
    }
    labels.run_pending_tasks().await;
    println!("a capacity of 10 MB: {} labels of 1 MB", labels.entry_count());
    assert_eq!(labels.entry_count(), 10);
    assert_eq!(labels.weighted_size(), 10 * MB);
}
// ANCHOR_END: all
