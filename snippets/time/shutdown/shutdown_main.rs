// ANCHOR: all
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use async_channel::{Receiver, Sender, bounded};
use rustix::process::{Signal, getpid, kill_process};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// Renders a label in a second.
async fn worker(jobs: Receiver<u32>, rendered: Arc<AtomicU32>) {
    while jobs.recv().await.is_ok() {
        sleep(Duration::from_secs(1)).await;
        rendered.fetch_add(1, Relaxed);
    }
}

async fn returns(_: &Sender<u32>, _: JoinHandle<()>) -> anyhow::Result<()> {
    let mut term = signal(SignalKind::terminate())?;
    // ANCHOR: broken
    term.recv().await;
    Ok(()) // from `main`, and the runtime drops its tasks
    // ANCHOR_END: broken
}

async fn drains(
    jobs_tx: &Sender<u32>,
    worker: JoinHandle<()>,
) -> anyhow::Result<()> {
    let mut term = signal(SignalKind::terminate())?;
    // ANCHOR: fixed
    term.recv().await;
    jobs_tx.close();
    Ok(worker.await?)
    // ANCHOR_END: fixed
}

/// A program that accepts three labels before the signal. When it returns, its
/// runtime is dropped.
#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn program(
    end: impl AsyncFnOnce(&Sender<u32>, JoinHandle<()>) -> anyhow::Result<()>,
    rendered: Arc<AtomicU32>,
) -> anyhow::Result<()> {
    let (jobs_tx, jobs) = bounded(8);
    let worker = tokio::spawn(worker(jobs, rendered));
    let accept = async {
        for parcel in 1..=3 {
            sleep(Duration::from_millis(100)).await;
            jobs_tx.send(parcel).await?;
        }
        kill_process(getpid(), Signal::TERM)?;
        Ok(())
    };
    tokio::try_join!(end(&jobs_tx, worker), accept)?;
    Ok(())
}

fn main() -> anyhow::Result<()> {
    let rendered = Arc::new(AtomicU32::new(0));
    program(returns, Arc::clone(&rendered))?;
    let labels = rendered.swap(0, Relaxed);
    println!("broken: 3 accepted, {labels} rendered");
    assert_eq!(labels, 0);

    program(drains, Arc::clone(&rendered))?;
    let labels = rendered.swap(0, Relaxed);
    println!("fixed: 3 accepted, {labels} rendered");
    assert_eq!(labels, 3);
    Ok(())
}
// ANCHOR_END: all
