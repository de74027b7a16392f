// ANCHOR: all
use std::num::ParseFloatError;

use async_stream::try_stream;
use futures::{Stream, StreamExt};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::ReceiverStream;

const LOG: [&str; 4] = ["18.5", "19.0", "21,5", "22.0"];

fn by_task() -> (ReceiverStream<f64>, JoinHandle<anyhow::Result<()>>) {
    let (sender, receiver) = mpsc::channel(1);
    let producer = tokio::spawn(async move {
        for line in LOG {
            if sender.send(line.parse()?).await.is_err() {
                break;
            }
        }
        Ok(())
    });
    (ReceiverStream::new(receiver), producer)
}

// ANCHOR: try_stream
fn by_macro() -> impl Stream<Item = Result<f64, ParseFloatError>> {
    try_stream! {
        for line in LOG {
            yield line.parse::<f64>()?;
        }
    }
}
// ANCHOR_END: try_stream

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: broken
    // Broken: whoever looks only at the stream sees a short morning.
    let (readings, producer) = by_task();
    let seen: Vec<f64> = readings.collect().await;
    println!("channel:     {seen:?}, and that was all");
    assert_eq!(seen, [18.5, 19.0]);
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: ask the producer how it ended. The first ? would be its panic.
    let error = producer.await?.unwrap_err();
    println!("producer:    {error}");
    assert_eq!(error.to_string(), "invalid float literal");

    // Or: the error is an item, and the last one.
    let seen: Vec<_> = by_macro().collect().await;
    println!("try_stream!: {seen:?}");
    assert_eq!(seen.len(), 3);
    assert!(seen[2].is_err());
    // ANCHOR_END: fixed
    Ok(())
}
// ANCHOR_END: all
