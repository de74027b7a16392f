// ANCHOR: all
use futures::stream::{self, Stream, StreamExt};

// ANCHOR: broken
async fn count(mut events: impl Stream<Item = u32> + Unpin) -> usize {
    let mut count = 0;
    while events.next().await.is_some() {
        count += 1;
    }
    count
}

async fn report(events: impl Stream<Item = u32>) {
    println!("{} events", count(events).await);
}
// ANCHOR_END: broken

#[tokio::main]
async fn main() {
    report(stream::once(async { 7 })).await;
}
// ANCHOR_END: all
