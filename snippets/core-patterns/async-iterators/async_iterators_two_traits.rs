// ANCHOR: all
// ANCHOR: broken
use futures::StreamExt;
use tokio_stream::StreamExt as _;

async fn first() -> Option<u32> {
    futures::stream::iter([7, 8]).next().await
}
// ANCHOR_END: broken

#[tokio::main(flavor = "current_thread")]
async fn main() {
    println!("{:?}", first().await);
}
// ANCHOR_END: all
