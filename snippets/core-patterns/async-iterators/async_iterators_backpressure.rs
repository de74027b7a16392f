// ANCHOR: all
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use futures::{Stream, StreamExt, stream::unfold};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};
use tokio_stream::wrappers::{ReceiverStream, UnboundedReceiverStream};

static READINGS: AtomicU32 = AtomicU32::new(0);

async fn read() -> f64 {
    sleep(Duration::from_secs(1)).await;
    READINGS.fetch_add(1, Relaxed);
    21.5
}

/// Takes one reading, and lets the thermometer alone for the next 59.5 s.
async fn taken_in_a_minute(readings: impl Stream<Item = f64>) -> u32 {
    READINGS.store(0, Relaxed);
    let mut readings = pin!(readings);
    readings.next().await.expect("the thermometer never ends");
    sleep(Duration::from_millis(59_500)).await;
    READINGS.load(Relaxed)
}

/// Needs a second for each of ten readings.
async fn seconds_for_ten(readings: impl Stream<Item = f64>) -> u64 {
    let start = Instant::now();
    let work = |_| sleep(Duration::from_secs(1));
    readings.take(10).for_each(work).await;
    start.elapsed().as_secs()
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let pulled = || unfold((), |()| async { Some((read().await, ())) });
    let pushed = || {
        let (sender, receiver) = mpsc::channel(2);
        let producer = tokio::spawn(async move {
            while sender.send(read().await).await.is_ok() {}
        });
        (ReceiverStream::new(receiver), producer)
    };

    // ANCHOR: pulled
    // Nobody asks, nothing is read. Reading and working take turns.
    assert_eq!(taken_in_a_minute(pulled()).await, 1);
    assert_eq!(seconds_for_ten(pulled()).await, 20);
    println!("unfold:     1 reading  in the minute, ten take 20 s");
    // ANCHOR_END: pulled

    // ANCHOR: channel
    // One taken, two in the channel, one in the producer's hand.
    let (readings, producer) = pushed();
    assert_eq!(taken_in_a_minute(readings).await, 4);
    producer.await?;
    let (readings, producer) = pushed();
    assert_eq!(seconds_for_ten(readings).await, 11);
    producer.await?;
    println!("channel(2): 4 readings in the minute, ten take 11 s");
    // ANCHOR_END: channel

    // ANCHOR: unbounded
    // Broken: without a bound the producer never waits.
    let (sender, receiver) = mpsc::unbounded_channel();
    let producer =
        tokio::spawn(async move { while sender.send(read().await).is_ok() {} });
    let readings = UnboundedReceiverStream::new(receiver);
    assert_eq!(taken_in_a_minute(readings).await, 60);
    producer.await?;
    println!("unbounded: 60 readings in the minute, 59 of them in memory");
    // ANCHOR_END: unbounded
    Ok(())
}
// ANCHOR_END: all
