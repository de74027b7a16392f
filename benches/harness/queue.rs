//! A bounded queue: each item goes to one of the consumers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Sends the numbers below `items` from the producers to the consumers, by the
/// given kind of queue.
pub async fn queue(
    way: &str,
    producers: u64,
    consumers: u64,
    items: u64,
) -> Result<Duration> {
    const BOUND: usize = 100;
    let ends = producers.max(consumers);
    let numbers = |end| (end..items).step_by(producers as usize);
    let start = Instant::now();
    let (mut senders, mut receivers) = (JoinSet::new(), JoinSet::new());
    match way {
        "mpsc" => {
            let (sender, mut receiver) = mpsc::channel(BOUND);
            for end in 0..producers {
                let (sender, numbers) = (sender.clone(), numbers(end));
                senders.spawn(async move {
                    for number in numbers {
                        sender.send(number).await.expect("it is read");
                    }
                });
            }
            drop(sender);
            receivers.spawn(async move {
                let mut sum = 0;
                while let Some(number) = receiver.recv().await {
                    sum += number;
                }
                sum
            });
        }
        "mutex" => {
            let (sender, receiver) = mpsc::channel(BOUND);
            let receiver = Arc::new(tokio::sync::Mutex::new(receiver));
            for end in 0..ends {
                let (sender, numbers) = (sender.clone(), numbers(end));
                senders.spawn(async move {
                    for number in numbers {
                        sender.send(number).await.expect("it is read");
                    }
                });
                let receiver = Arc::clone(&receiver);
                receivers.spawn(async move {
                    let mut sum = 0;
                    loop {
                        let next = receiver.lock().await.recv().await;
                        let Some(number) = next else { return sum };
                        sum += number;
                    }
                });
            }
        }
        "async_channel" => {
            let (sender, receiver) = async_channel::bounded(BOUND);
            for end in 0..producers {
                let (sender, numbers) = (sender.clone(), numbers(end));
                senders.spawn(async move {
                    for number in numbers {
                        sender.send(number).await.expect("it is read");
                    }
                });
            }
            for _ in 0..consumers {
                let receiver = receiver.clone();
                receivers.spawn(async move {
                    let mut sum = 0;
                    while let Ok(number) = receiver.recv().await {
                        sum += number;
                    }
                    sum
                });
            }
        }
        "flume" => {
            let (sender, receiver) = flume::bounded(BOUND);
            for end in 0..producers {
                let (sender, numbers) = (sender.clone(), numbers(end));
                senders.spawn(async move {
                    for number in numbers {
                        sender.send_async(number).await.expect("it is read");
                    }
                });
            }
            for _ in 0..consumers {
                let receiver = receiver.clone();
                receivers.spawn(async move {
                    let mut sum = 0;
                    while let Ok(number) = receiver.recv_async().await {
                        sum += number;
                    }
                    sum
                });
            }
        }
        _ => bail!("no way {way}"),
    }
    senders.join_all().await;
    let sums = receivers.join_all().await;
    let time = start.elapsed();
    ensure!(sums.into_iter().sum::<u64>() == items * (items - 1) / 2);
    Ok(time)
}
