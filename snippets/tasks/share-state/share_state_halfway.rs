// ANCHOR: all
use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

async fn broken(conn: &Mutex<DuplexStream>, parcel: u32) -> io::Result<u32> {
    // ANCHOR: broken
    let mut conn = conn.lock().await;
    conn.write_u32(parcel).await?;
    conn.read_u32().await
    // ANCHOR_END: broken
}

/// Prints a label in a second, and answers with its number.
async fn printer(mut conn: DuplexStream) -> io::Result<()> {
    loop {
        let parcel = conn.read_u32().await?;
        sleep(SECOND).await;
        conn.write_u32(parcel).await?;
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let (conn, peer) = duplex(64);
    let server = tokio::spawn(printer(peer));
    let conn = Mutex::new(conn);
    assert_eq!(broken(&conn, 1).await?, 1);
    let cancelled = timeout(SECOND / 2, broken(&conn, 2)).await;
    assert!(cancelled.is_err());
    let number = broken(&conn, 3).await?;
    println!("the caller of parcel 3 gets the answer {number}");
    assert_eq!(number, 2);
    drop(conn);
    assert!(server.await?.is_err(), "the connection is closed");
    Ok(())
}
// ANCHOR_END: all
