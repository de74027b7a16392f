// ANCHOR: all
use std::collections::VecDeque;
use std::pin::pin;
use std::time::Duration;

use async_stream::stream;
use futures::{Stream, StreamExt, stream::unfold};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use tokio_stream::wrappers::ReceiverStream;

/// Degrees, or `None` where the thermometer missed its turn.
type Reading = Option<f64>;

struct Thermometer(VecDeque<Reading>);

impl Thermometer {
    /// Takes a second. `None` when there will be no more readings.
    async fn read(&mut self) -> Option<Reading> {
        sleep(Duration::from_secs(1)).await;
        self.0.pop_front()
    }
}

// ANCHOR: unfold
fn by_unfold(thermometer: Thermometer) -> impl Stream<Item = Reading> {
    unfold(thermometer, |mut thermometer| async move {
        let reading = thermometer.read().await?;
        Some((reading, thermometer))
    })
}
// ANCHOR_END: unfold

// ANCHOR: macro
fn by_macro(mut thermometer: Thermometer) -> impl Stream<Item = Reading> {
    stream! {
        while let Some(reading) = thermometer.read().await {
            yield reading;
        }
    }
}
// ANCHOR_END: macro

// ANCHOR: channel
fn by_channel(
    mut thermometer: Thermometer,
) -> (ReceiverStream<Reading>, JoinHandle<()>) {
    let (readings, stream) = mpsc::channel(100);
    let producer = tokio::spawn(async move {
        while let Some(reading) = thermometer.read().await {
            if readings.send(reading).await.is_err() {
                break; // nobody listens any longer
            }
        }
    });
    (ReceiverStream::new(stream), producer)
}
// ANCHOR_END: channel

// ANCHOR: consume
async fn log(
    name: &str,
    readings: impl Stream<Item = Reading>,
) -> Vec<Reading> {
    let mut readings = pin!(readings);
    let mut seen = vec![];
    while let Some(reading) = readings.next().await {
        seen.push(reading);
    }
    println!("{name:8} {seen:?}");
    seen
}
// ANCHOR_END: consume

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: thermometer
    let morning = [Some(18.5), None, Some(19.0), Some(21.5)];
    let thermometer = || Thermometer(morning.into());
    // ANCHOR_END: thermometer

    let start = Instant::now();
    assert_eq!(log("unfold", by_unfold(thermometer())).await, morning);
    // ANCHOR: seen
    assert_eq!(log("stream!", by_macro(thermometer())).await, morning);
    // ANCHOR_END: seen
    let (readings, producer) = by_channel(thermometer());
    assert_eq!(log("channel", readings).await, morning);
    producer.await?;
    // Four readings and the end, a second each, three times.
    assert_eq!(start.elapsed(), Duration::from_secs(15));
    Ok(())
}
// ANCHOR_END: all
