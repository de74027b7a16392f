// ANCHOR: all
use std::sync::mpsc;

use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::task::{spawn_blocking, yield_now};
use tokio_util::sync::CancellationToken;

async fn scan_the_archive() -> anyhow::Result<()> {
    // ANCHOR: broken
    // Broken: `abort` stops what queues, not what runs.
    let (started, has_started) = oneshot::channel();
    let (paper, next_sheet) = mpsc::channel();
    let running = spawn_blocking(move || {
        _ = started.send(());
        next_sheet.recv() // blocks this thread, not the runtime's
    });
    let queued = spawn_blocking(|| unreachable!("there is only one thread"));

    has_started.await?;
    running.abort();
    queued.abort();
    yield_now().await;
    assert!(!running.is_finished(), "it does not notice");
    paper.send("sheet 1")?;
    assert_eq!(running.await??, "sheet 1");
    println!("running: has scanned sheet 1");
    assert!(queued.await.unwrap_err().is_cancelled());
    println!("queued: never began");
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: the job looks at a token, and the future's end cancels it.
    let (started, has_started) = oneshot::channel();
    let (ended, has_ended) = oneshot::channel();
    let scan = tokio::spawn(async {
        let stop = CancellationToken::new();
        let _guard = stop.clone().drop_guard();
        spawn_blocking(move || {
            _ = started.send(());
            while !stop.is_cancelled() {
                std::thread::yield_now(); // the next sheet
            }
            _ = ended.send("stopped between two sheets");
        })
        .await
    });
    has_started.await?;
    scan.abort();
    assert!(scan.await.unwrap_err().is_cancelled());
    println!("with a token: {}", has_ended.await?);
    // ANCHOR_END: fixed
    Ok(())
}

fn main() -> anyhow::Result<()> {
    let one_thread =
        Builder::new_current_thread().max_blocking_threads(1).build()?;
    one_thread.block_on(scan_the_archive())
}
// ANCHOR_END: all
