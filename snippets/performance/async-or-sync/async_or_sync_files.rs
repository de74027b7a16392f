// ANCHOR: all
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::mpsc;

use futures::poll;
use tokio::fs;
use tokio::io::AsyncReadExt;
use tokio::runtime::Builder;
use tokio::task::{spawn_blocking, yield_now};

async fn in_pieces(path: &Path) -> anyhow::Result<(usize, u32)> {
    let (mut size, mut reads) = (0, 0);
    // ANCHOR: broken
    let mut file = fs::File::open(path).await?;
    let mut buffer = [0; 4096];
    loop {
        let length = file.read(&mut buffer).await?; // goes to a thread
        if length == 0 {
            break;
        }
        size += length;
        reads += 1;
    }
    // ANCHOR_END: broken
    Ok((size, reads))
}

async fn in_one_job(path: PathBuf) -> anyhow::Result<u64> {
    // ANCHOR: fixed
    let read = move || {
        let mut file = std::fs::File::open(path)?;
        std::io::copy(&mut file, &mut std::io::sink()) // in pieces, too
    };
    let size = spawn_blocking(read).await??;
    // ANCHOR_END: fixed
    Ok(size)
}

async fn read_scans() -> anyhow::Result<()> {
    let scans = tempfile::NamedTempFile::new()?;
    let path = scans.path();
    std::fs::write(path, vec![7; 1 << 20])?;

    // The runtime has one thread for blocking work, and it is busy.
    let (finish_tx, finish_rx) = mpsc::channel::<()>();
    let busy = spawn_blocking(move || finish_rx.recv());
    let mut file = pin!(fs::read(path));
    for _ in 0..1_000 {
        assert!(poll!(&mut file).is_pending());
        yield_now().await;
    }
    drop(finish_tx);
    assert!(busy.await?.is_err());
    assert_eq!(file.await?.len(), 1 << 20);
    println!("all threads are busy: tokio::fs::read waits");

    let (size, reads) = in_pieces(path).await?;
    println!("tokio::fs::File: {reads} reads for {size} bytes");
    assert_eq!((size, reads), (1 << 20, 256));
    let size = in_one_job(path.to_owned()).await?;
    println!("spawn_blocking: 1 job for {size} bytes");
    assert_eq!(size, 1 << 20);
    Ok(())
}

fn main() -> anyhow::Result<()> {
    let runtime =
        Builder::new_current_thread().max_blocking_threads(1).build()?;
    runtime.block_on(read_scans())
}
// ANCHOR_END: all
