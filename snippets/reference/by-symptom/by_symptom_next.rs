// ANCHOR: all
use tokio_stream::wrappers::ReceiverStream;

async fn first(mut events: ReceiverStream<u32>) -> Option<u32> {
    events.next().await
}

#[tokio::main]
async fn main() {
    let (tx, rx) = tokio::sync::mpsc::channel(1);
    drop(tx);
    println!("{:?}", first(ReceiverStream::new(rx)).await);
}
// ANCHOR_END: all
