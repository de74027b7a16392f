//! Items that tasks pass to other tasks: queues, news and streams.

use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{
    AtomicU64,
    Ordering::{AcqRel, Release},
};
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use async_stream::stream;
use futures::stream::{Stream, StreamExt, unfold};
use tokio::sync::{Mutex, Notify, broadcast, mpsc, watch};
use tokio::task::JoinSet;
use tokio_stream::wrappers::ReceiverStream;

use super::piece;

/// Adds up what is received until there is no more, and does `$then` after
/// each item.
macro_rules! sum_of {
    ($next:expr $(, $then:expr)?) => {
        async move {
            let mut sum = 0_u64;
            loop {
                let next = $next;
                let Some(number) = next else { return sum };
                sum += number;
                $($then;)?
            }
        }
    };
}

/// Sends numbers from the producers to the consumers, by the given kind of
/// queue. Each number goes to one consumer.
pub async fn queue(
    way: &str,
    producers: u64,
    consumers: u64,
) -> Result<(f64, u64)> {
    const ITEMS: u64 = 100_000;
    piece(ITEMS, || pass(way, producers, consumers, ITEMS)).await
}

async fn pass(
    way: &str,
    producers: u64,
    consumers: u64,
    items: u64,
) -> Result<Duration> {
    const BOUND: usize = 100;
    let start = Instant::now();
    let (mut senders, mut receivers) = (JoinSet::new(), JoinSet::new());
    macro_rules! send {
        ($tx:ident.$send:ident) => {
            for end in 0..producers {
                let tx = $tx.clone();
                senders.spawn(async move {
                    for number in (end..items).step_by(producers as usize) {
                        tx.$send(number).await.expect("it is read");
                    }
                });
            }
        };
    }
    match way {
        "mpsc" => {
            let (tx, mut rx) = mpsc::channel(BOUND);
            send!(tx.send);
            receivers.spawn(sum_of!(rx.recv().await));
        }
        "mutex" => {
            let (tx, rx) = mpsc::channel(BOUND);
            let rx = Arc::new(Mutex::new(rx));
            send!(tx.send);
            for _ in 0..consumers {
                let rx = Arc::clone(&rx);
                receivers.spawn(sum_of!(rx.lock().await.recv().await));
            }
        }
        "async_channel" => {
            let (tx, rx) = async_channel::bounded(BOUND);
            send!(tx.send);
            for _ in 0..consumers {
                let rx = rx.clone();
                receivers.spawn(sum_of!(rx.recv().await.ok()));
            }
        }
        "flume" => {
            let (tx, rx) = flume::bounded(BOUND);
            send!(tx.send_async);
            for _ in 0..consumers {
                let rx = rx.clone();
                receivers.spawn(sum_of!(rx.recv_async().await.ok()));
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

/// Every consumer receives every value. There is room for all values, so that
/// broadcast drops none and mpsc never waits.
pub async fn every(way: &str, size: u64) -> Result<(f64, u64)> {
    const ROOM: usize = 1_024;
    const VALUES: u64 = 1_000;
    piece(size * VALUES, || async {
        let start = Instant::now();
        let mut tasks = JoinSet::new();
        match way {
            "broadcast" => {
                let (tx, _) = broadcast::channel(ROOM);
                for _ in 0..size {
                    let mut rx = tx.subscribe();
                    tasks.spawn(sum_of!(rx.recv().await.ok()));
                }
                for number in 0..VALUES {
                    tx.send(number)?;
                }
            }
            "mpsc" => {
                let mut all = Vec::new();
                for _ in 0..size {
                    let (tx, mut rx) = mpsc::channel(ROOM);
                    all.push(tx);
                    tasks.spawn(sum_of!(rx.recv().await));
                }
                for number in 0..VALUES {
                    for tx in &all {
                        tx.send(number).await?;
                    }
                }
            }
            _ => bail!("no way {way}"),
        }
        let sums = tasks.join_all().await;
        let time = start.elapsed();
        ensure!(sums == vec![VALUES * (VALUES - 1) / 2; size as usize]);
        Ok(time)
    })
    .await
}

/// Counts the consumers that have seen a value, and wakes the producer when
/// all have.
struct Seen {
    count: AtomicU64,
    of: u64,
    all: Notify,
}

impl Seen {
    fn one(&self) {
        if self.count.fetch_add(1, AcqRel) + 1 == self.of {
            self.count.store(0, Release);
            self.all.notify_one();
        }
    }
}

/// Every consumer has seen a value before the next one is sent.
pub async fn latest(way: &str, size: u64) -> Result<(f64, u64)> {
    const ROUND_TRIPS: u64 = 20_000;
    piece(ROUND_TRIPS, || seen_by_all(way, size, ROUND_TRIPS / size)).await
}

async fn seen_by_all(way: &str, size: u64, values: u64) -> Result<Duration> {
    let seen = Arc::new(Seen { count: 0.into(), of: size, all: Notify::new() });
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    match way {
        "watch" => {
            let (tx, _) = watch::channel(0);
            for _ in 0..size {
                let (seen, mut rx) = (Arc::clone(&seen), tx.subscribe());
                tasks.spawn(sum_of!(
                    rx.changed().await.ok().map(|()| *rx.borrow_and_update()),
                    seen.one()
                ));
            }
            for number in 0..values {
                tx.send(number)?;
                seen.all.notified().await;
            }
        }
        "broadcast" => {
            let (tx, _) = broadcast::channel(1);
            for _ in 0..size {
                let (seen, mut rx) = (Arc::clone(&seen), tx.subscribe());
                tasks.spawn(sum_of!(rx.recv().await.ok(), seen.one()));
            }
            for number in 0..values {
                tx.send(number)?;
                seen.all.notified().await;
            }
        }
        "mpsc" => {
            let mut all = Vec::new();
            for _ in 0..size {
                let (tx, mut rx) = mpsc::channel(1);
                all.push(tx);
                let seen = Arc::clone(&seen);
                tasks.spawn(sum_of!(rx.recv().await, seen.one()));
            }
            for number in 0..values {
                for tx in &all {
                    tx.send(number).await?;
                }
                seen.all.notified().await;
            }
        }
        _ => bail!("no way {way}"),
    }
    let sums = tasks.join_all().await;
    let time = start.elapsed();
    ensure!(sums == vec![values * (values - 1) / 2; size as usize]);
    Ok(time)
}

/// Adds up the numbers of a stream. These are not the page's programs, whose
/// items come once a second, but its ways to make a stream.
pub async fn streamed(way: &str) -> Result<(f64, u64)> {
    async fn sum(numbers: impl Stream<Item = u64>) -> u64 {
        let mut numbers = pin!(numbers);
        let mut sum = 0;
        while let Some(number) = numbers.next().await {
            sum += black_box(number);
        }
        sum
    }
    const COUNT: u64 = 200_000;
    piece(COUNT, || async {
        let start = Instant::now();
        let sum = match way {
            "unfold" => {
                let numbers = unfold(0, |n| async move {
                    (n < COUNT).then_some((black_box(n), n + 1))
                });
                sum(numbers).await
            }
            "macro" => {
                let numbers = stream! {
                    for n in 0..COUNT {
                        yield black_box(n);
                    }
                };
                sum(numbers).await
            }
            "channel" | "channel-1" => {
                let bound = if way == "channel" { 100 } else { 1 };
                let (tx, rx) = mpsc::channel(bound);
                let producer = tokio::spawn(async move {
                    for n in 0..COUNT {
                        if tx.send(n).await.is_err() {
                            break;
                        }
                    }
                });
                let sum = sum(ReceiverStream::new(rx)).await;
                producer.await?;
                sum
            }
            _ => bail!("no way {way}"),
        };
        let time = start.elapsed();
        ensure!(sum == COUNT * (COUNT - 1) / 2);
        Ok(time)
    })
    .await
}
