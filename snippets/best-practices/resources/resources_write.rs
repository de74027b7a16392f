// ANCHOR: all
use std::pin::pin;
use std::sync::mpsc;

use tempfile::{NamedTempFile, TempDir};
use tokio::fs::{self, File};
use tokio::io::AsyncWriteExt;
use tokio::runtime::Builder;
use tokio::task::spawn_blocking;

// ANCHOR: broken
// Broken: the write goes on, and makes the file anew.
async fn by_path(folder: &TempDir) -> anyhow::Result<()> {
    let draft = NamedTempFile::new_in(folder)?;
    let mut write = pin!(fs::write(draft.path(), "Rain in Bergen"));
    assert!(futures::poll!(&mut write).is_pending());
    Ok(()) // drops the write, then the draft
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: the write goes on, into a file that has no name any more.
async fn by_handle(folder: &TempDir) -> anyhow::Result<()> {
    let draft = NamedTempFile::new_in(folder)?;
    let mut file = File::from_std(draft.reopen()?);
    file.write_all(b"Rain in Bergen").await?; // only begins
    assert!(futures::poll!(pin!(file.flush())).is_pending());
    Ok(())
}
// ANCHOR_END: fixed

/// How many files are left when the dropped write is done.
async fn left_by(
    write: impl AsyncFnOnce(&TempDir) -> anyhow::Result<()>,
) -> anyhow::Result<usize> {
    let folder = TempDir::new()?;
    // The one thread for files is busy: the write has to wait.
    let (go_on, wait) = mpsc::channel();
    let busy = spawn_blocking(move || wait.recv());
    write(&folder).await?;
    assert_eq!(folder.path().read_dir()?.count(), 0, "all was removed");
    go_on.send(())?;
    busy.await??;
    spawn_blocking(|| ()).await?; // stands in the queue behind the write
    Ok(folder.path().read_dir()?.count())
}

fn main() -> anyhow::Result<()> {
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
