// ANCHOR: all
use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::{Instant, sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

// ANCHOR: broken
async fn read(mut conn: DuplexStream) -> io::Result<Vec<u8>> {
    let mut events = Vec::new();
    while timeout(5 * SECOND, conn.read_buf(&mut events)).await?? > 0 {}
    Ok(events)
}
// ANCHOR_END: broken

// ANCHOR: fixed
async fn read_in_time(conn: DuplexStream) -> io::Result<Vec<u8>> {
    timeout(60 * SECOND, read(conn)).await?
}
// ANCHOR_END: fixed

/// Sends a hundred bytes, one every four seconds.
async fn send(mut conn: DuplexStream) {
    for _ in 0..100 {
        if conn.write_all(b".").await.is_err() {
            return; // the reader has closed the connection
        }
        sleep(4 * SECOND).await;
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let (conn, peer) = duplex(64);
    let sender = tokio::spawn(send(conn));
    let start = Instant::now();
    let bytes = read(peer).await?.len();
    println!("each read: {bytes} bytes after {:?}", start.elapsed());
    assert_eq!((bytes, start.elapsed()), (100, 400 * SECOND));
    sender.await?;

    let (conn, peer) = duplex(64);
    let sender = tokio::spawn(send(conn));
    let start = Instant::now();
    let error = read_in_time(peer).await.expect_err("it takes too long");
    println!("all reads: {error} after {:?}", start.elapsed());
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert_eq!(start.elapsed(), 60 * SECOND);
    sender.await?;
    Ok(())
}
// ANCHOR_END: all
