// ANCHOR: all
use std::pin::pin;
use std::time::Duration;

use futures::stream::{self, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::task::JoinHandle;
use tokio::time::{Instant, Interval, interval_at, sleep};

/// Sends ten pictures of four bytes, each in two halves.
fn start_camera() -> (JoinHandle<std::io::Result<()>>, DuplexStream) {
    let (mut camera, computer) = duplex(64);
    let task = tokio::spawn(async move {
        for picture in 1..=10_u32 {
            for half in picture.to_be_bytes().chunks(2) {
                camera.write_all(half).await?;
                sleep(Duration::from_secs(2)).await;
            }
        }
        Ok(())
    });
    (task, computer)
}

/// Time to look at the sky: three seconds from now, then every six.
fn clock() -> Interval {
    let soon = Instant::now() + Duration::from_secs(3);
    interval_at(soon, Duration::from_secs(6))
}

// ANCHOR: broken
// Broken: half a picture is in `picture` when the clock ticks.
async fn loses(mut camera: DuplexStream) -> Vec<u32> {
    let (mut clock, mut pictures) = (clock(), Vec::new());
    loop {
        let mut picture = [0; 4];
        tokio::select! {
            _ = clock.tick() => {} // looks at the sky
            read = camera.read_exact(&mut picture) => match read {
                Ok(_) => pictures.push(u32::from_be_bytes(picture)),
                Err(_) => return pictures,
            }
        }
    }
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: half a picture is in the stream, which outlives the tick.
async fn keeps(camera: DuplexStream) -> Vec<u32> {
    let (mut clock, mut pictures) = (clock(), Vec::new());
    let mut camera = pin!(stream::unfold(camera, async |mut camera| {
        Some((camera.read_u32().await.ok()?, camera))
    }));
    loop {
        tokio::select! {
            _ = clock.tick() => {} // looks at the sky
            picture = camera.next() => match picture {
                Some(picture) => pictures.push(picture),
                None => return pictures,
            }
        }
    }
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let (task, camera) = start_camera();
    let pictures = loses(camera).await;
    task.await??;
    println!("read_exact: {pictures:?}");
    let right = pictures.iter().filter(|picture| **picture <= 10).count();
    assert_eq!((pictures.len(), right), (7, 4), "and no error");

    let (task, camera) = start_camera();
    let pictures = keeps(camera).await;
    task.await??;
    println!("a stream: {pictures:?}");
    assert!(pictures.into_iter().eq(1..=10));
    Ok(())
}
// ANCHOR_END: all
