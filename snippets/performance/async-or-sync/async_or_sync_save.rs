// ANCHOR: all
use std::io::ErrorKind;

use tokio::fs::{self, OpenOptions};
use tokio::io::AsyncWriteExt;

/// Linux has a disk that is always full.
const FULL: &str = "/dev/full";

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let mut file = OpenOptions::new().write(true).open(FULL).await?;
    // ANCHOR: broken
    let written = file.write_all(b"PARCEL").await;
    drop(file); // the error, too
    // ANCHOR_END: broken
    println!("write_all: {written:?}");
    assert!(written.is_ok());

    let mut file = OpenOptions::new().write(true).open(FULL).await?;
    // ANCHOR: fixed
    file.write_all(b"PARCEL").await?;
    let written = file.flush().await;
    // ANCHOR_END: fixed
    let written = written.map_err(|error| error.kind());
    println!("write_all, flush: {written:?}");
    assert_eq!(written, Err(ErrorKind::StorageFull));

    let written = fs::write(FULL, b"PARCEL").await;
    let written = written.map_err(|error| error.kind());
    println!("tokio::fs::write: {written:?}");
    assert_eq!(written, Err(ErrorKind::StorageFull));
    Ok(())
}
// ANCHOR_END: all
