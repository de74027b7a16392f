// ANCHOR: all
use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::{Instant, sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

// ANCHOR: broken
// Broken: a byte every four seconds is never late.
async fn receive(mut wire: DuplexStream) -> io::Result<Vec<u8>> {
    let mut order = Vec::new();
    while timeout(5 * SECOND, wire.read_buf(&mut order)).await?? > 0 {}
    Ok(order)
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: five seconds for each read, and a minute for all of them.
async fn receive_soon(wire: DuplexStream) -> io::Result<Vec<u8>> {
    timeout(60 * SECOND, receive(wire)).await?
}
// ANCHOR_END: fixed

/// Sends an order of a hundred bytes, one by one.
async fn drip(mut wire: DuplexStream) {
    for _ in 0..100 {
        if wire.write_all(b".").await.is_err() {
            return; // nobody reads any more
        }
        sleep(4 * SECOND).await;
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let (wire, order) = duplex(64);
    let dripping = tokio::spawn(drip(wire));
    let start = Instant::now();
    let read = receive(order).await?.len();
    println!("each read in time: {read} bytes, {:?}", start.elapsed());
    assert_eq!((read, start.elapsed()), (100, 400 * SECOND));
    dripping.await?;

    let (wire, order) = duplex(64);
    let dripping = tokio::spawn(drip(wire));
    let start = Instant::now();
    let error = receive_soon(order).await.expect_err("it takes too long");
    println!("all in time: {error}, {:?}", start.elapsed());
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert_eq!(start.elapsed(), 60 * SECOND);
    dripping.await?;
    Ok(())
}
// ANCHOR_END: all
