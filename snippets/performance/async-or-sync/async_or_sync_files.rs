// ANCHOR: all
use std::pin::pin;
use std::sync::mpsc;

use futures::poll;
use tokio::fs::{self, File};
use tokio::io::AsyncReadExt;
use tokio::runtime::Builder;
use tokio::task::{spawn_blocking, yield_now};

/// How many reads it takes, and the length of the longest.
async fn reads(mut file: File, buffer: usize) -> std::io::Result<(u32, usize)> {
    let (mut buffer, mut count, mut longest) = (vec![0; buffer], 0, 0);
    loop {
        match file.read(&mut buffer).await? {
            0 => return Ok((count, longest)),
            length => longest = longest.max(length),
        }
        count += 1;
    }
}

async fn read_heights() -> anyhow::Result<()> {
    let heights = tempfile::NamedTempFile::new()?;
    let path = heights.path();
    std::fs::write(path, vec![7; 1 << 20])?;

    // ANCHOR: pool
    // The runtime has one thread for blocking work, and it is busy.
    let (finish, finished) = mpsc::channel::<()>();
    let shading = spawn_blocking(move || finished.recv());
    let mut file = pin!(fs::read(path));
    for _ in 0..1_000 {
        assert!(poll!(&mut file).is_pending());
        yield_now().await;
    }
    drop(finish);
    assert!(shading.await?.is_err());
    assert_eq!(file.await?.len(), 1 << 20);
    // ANCHOR_END: pool
    println!("tokio::fs::read: waits for a thread of the pool");

    // ANCHOR: broken
    // Broken: a trip to the pool for every 4 KiB.
    let small = reads(File::open(path).await?, 4 << 10).await?;
    assert_eq!(small, (256, 4 << 10));
    println!("4 KiB at a time: {} trips for 1 MiB", small.0);
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: one trip. For a whole file, call `tokio::fs::read`.
    let large = reads(File::open(path).await?, 1 << 20).await?;
    assert_eq!(large, (1, 1 << 20));
    println!("1 MiB at a time: {} trip", large.0);
    // ANCHOR_END: fixed
    Ok(())
}

fn main() -> anyhow::Result<()> {
    let runtime =
        Builder::new_current_thread().max_blocking_threads(1).build()?;
    runtime.block_on(read_heights())
}
// ANCHOR_END: all
