// ANCHOR: all
use futures::{Stream, StreamExt};

// ANCHOR: broken
async fn report(mut events: impl Stream<Item = u32>) {
    while let Some(parcel) = events.next().await {
        println!("parcel {parcel}");
    }
}
// ANCHOR_END: broken

#[tokio::main(flavor = "current_thread")]
async fn main() {
    report(futures::stream::iter([7])).await;
}
// ANCHOR_END: all
