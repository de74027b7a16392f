// ANCHOR: all
use std::pin::Pin;

use futures::{Stream, StreamExt};

/// What `next()` does with what you lend it, before it can poll.
fn pinned<S: Stream + Unpin>(readings: &mut S) -> Pin<&mut S> {
    Pin::new(readings)
}

async fn report(mut readings: impl Stream<Item = f64>) {
    println!("{:?}", pinned(&mut readings).next().await);
}

#[tokio::main]
async fn main() {
    report(futures::stream::iter([18.5])).await;
}
// ANCHOR_END: all
