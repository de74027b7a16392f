// ANCHOR: all
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use async_stream::stream;
use futures::{Stream, StreamExt};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_stream::wrappers::ReceiverStream;

static ON: AtomicBool = AtomicBool::new(false);

struct Thermometer;

impl Thermometer {
    fn switch_on() -> Self {
        ON.store(true, Relaxed);
        Thermometer
    }

    async fn read(&mut self) -> f64 {
        sleep(Duration::from_secs(1)).await;
        21.5
    }
}

impl Drop for Thermometer {
    fn drop(&mut self) {
        ON.store(false, Relaxed);
    }
}

fn watch() -> impl Stream<Item = f64> {
    stream! {
        let mut thermometer = Thermometer::switch_on();
        loop {
            yield thermometer.read().await;
        }
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: scope
    {
        let mut readings = pin!(watch());
        assert!(!ON.load(Relaxed), "nothing runs before the first next()");
        while let Some(degrees) = readings.next().await {
            if degrees > 20.0 {
                break;
            }
        }
        assert!(ON.load(Relaxed), "a break drops nothing");
    }
    assert!(!ON.load(Relaxed), "the end of the scope does, at once");
    println!("stream!: off as soon as the stream is gone");
    // ANCHOR_END: scope

    // ANCHOR: channel
    let (sender, receiver) = mpsc::channel(1);
    let producer = tokio::spawn(async move {
        let mut thermometer = Thermometer::switch_on();
        while sender.send(thermometer.read().await).await.is_ok() {}
    });
    let mut readings = ReceiverStream::new(receiver);
    assert_eq!(readings.next().await, Some(21.5));
    drop(readings);
    assert!(ON.load(Relaxed), "the producer does not know yet");
    producer.await?;
    assert!(!ON.load(Relaxed), "its next send failed, and it ended");
    println!("channel: off when the producer next sends");
    // ANCHOR_END: channel

    // ANCHOR: timeout
    let mut readings = Box::pin(watch());
    let half = Duration::from_millis(500);
    assert!(timeout(half, readings.next()).await.is_err());
    assert_eq!(timeout(half, readings.next()).await, Ok(Some(21.5)));
    println!("timeout: the reading under way is not lost");
    // ANCHOR_END: timeout
    Ok(())
}
// ANCHOR_END: all
