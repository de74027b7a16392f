//! The items of a stream. These are not the page's programs, whose items are
//! readings that come once a second, but its three ways to make a stream.

use std::hint::black_box;
use std::pin::pin;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use async_stream::stream;
use futures::stream::{Stream, StreamExt, unfold};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

/// Adds up the numbers of a stream.
pub async fn streamed(way: &str, count: u64) -> Result<Duration> {
    async fn sum(numbers: impl Stream<Item = u64>) -> u64 {
        let mut numbers = pin!(numbers);
        let mut sum = 0;
        while let Some(number) = numbers.next().await {
            sum += black_box(number);
        }
        sum
    }
    let start = Instant::now();
    let sum = match way {
        "unfold" => {
            let numbers = unfold(0, |n| async move {
                (n < count).then_some((black_box(n), n + 1))
            });
            sum(numbers).await
        }
        "macro" => {
            let numbers = stream! {
                for n in 0..count {
                    yield black_box(n);
                }
            };
            sum(numbers).await
        }
        "channel" | "channel-1" => {
            let bound = if way == "channel" { 100 } else { 1 };
            let (numbers, stream) = mpsc::channel(bound);
            let producer = tokio::spawn(async move {
                for n in 0..count {
                    if numbers.send(n).await.is_err() {
                        break;
                    }
                }
            });
            let sum = sum(ReceiverStream::new(stream)).await;
            producer.await?;
            sum
        }
        _ => bail!("no way {way}"),
    };
    let time = start.elapsed();
    ensure!(sum == count * (count - 1) / 2);
    Ok(time)
}
