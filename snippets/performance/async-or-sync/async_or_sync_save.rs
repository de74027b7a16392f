// ANCHOR: all
use std::io::ErrorKind;

use tokio::fs::{self, OpenOptions};
use tokio::io::AsyncWriteExt;

/// Linux has a disk that is always full.
const FULL: &str = "/dev/full";

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: broken
    // Broken: `write_all` returns when a thread has been told to write.
    let mut tile = OpenOptions::new().write(true).open(FULL).await?;
    let saved = tile.write_all(b"tile").await;
    drop(tile); // the error, too
    println!("write_all: {saved:?}");
    assert!(saved.is_ok());
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: `flush` waits until the thread has written.
    let mut tile = OpenOptions::new().write(true).open(FULL).await?;
    tile.write_all(b"tile").await?;
    let saved = tile.flush().await.map_err(|error| error.kind());
    println!("write_all, flush: {saved:?}");
    assert_eq!(saved, Err(ErrorKind::StorageFull));

    // `fs::write` opens, writes and closes on that thread, and then returns.
    let saved = fs::write(FULL, b"tile").await.map_err(|error| error.kind());
    println!("tokio::fs::write: {saved:?}");
    assert_eq!(saved, Err(ErrorKind::StorageFull));
    // ANCHOR_END: fixed
    Ok(())
}
// ANCHOR_END: all
