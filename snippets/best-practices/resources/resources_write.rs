// ANCHOR: all
use std::io::Write;
use std::pin::pin;
use std::sync::mpsc;

use anyhow::Result;
use tempfile::{NamedTempFile, TempDir};
use tokio::fs;
use tokio::runtime::Builder;
use tokio::task::spawn_blocking;

// ANCHOR: broken
async fn by_path(folder: &TempDir) -> Result<NamedTempFile> {
    let file = NamedTempFile::new_in(folder)?;
    fs::write(file.path(), "Bergen").await?;
    Ok(file)
}
// ANCHOR_END: broken

// ANCHOR: fixed
async fn by_handle(folder: &TempDir) -> Result<NamedTempFile> {
    let folder = folder.path().to_owned();
    spawn_blocking(move || {
        let mut file = NamedTempFile::new_in(folder)?;
        file.write_all(b"Bergen")?;
        Ok(file)
    })
    .await?
}
// ANCHOR_END: fixed

/// Drops the write when it has begun. How many files are left after it.
async fn left_by(
    write: impl AsyncFn(&TempDir) -> Result<NamedTempFile>,
) -> Result<usize> {
    let folder = TempDir::new()?;
    let file = write(&folder).await?;
    assert_eq!(std::fs::read_to_string(file.path())?, "Bergen");
    drop(file);

    // The only thread for files is busy, so the write waits for it.
    let (release_tx, release) = mpsc::channel::<()>();
    let busy = spawn_blocking(move || release.recv());
    assert!(futures::poll!(pin!(write(&folder))).is_pending());
    release_tx.send(())?;
    busy.await??;
    spawn_blocking(|| ()).await?; // it comes after the write
    Ok(folder.path().read_dir()?.count())
}

fn main() -> Result<()> {
    let mut runtime = Builder::new_current_thread();
    let runtime = runtime.max_blocking_threads(1).build()?;

    let left = runtime.block_on(left_by(by_path))?;
    println!("by its path: {left} file left");
    assert_eq!(left, 1);

    let left = runtime.block_on(left_by(by_handle))?;
    println!("by its handle: {left} files left");
    assert_eq!(left, 0);
    Ok(())
}
// ANCHOR_END: all
