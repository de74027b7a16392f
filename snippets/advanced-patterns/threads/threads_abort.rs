// ANCHOR: all
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::task::{spawn_blocking, yield_now};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

static STEPS: AtomicUsize = AtomicUsize::new(0);

/// One of the steps of a job.
fn step() {
    STEPS.fetch_add(1, Relaxed);
}

/// Waits until a job runs.
async fn a_step() -> anyhow::Result<()> {
    let step = async {
        while STEPS.load(Relaxed) == 0 {
            yield_now().await;
        }
    };
    Ok(timeout(Duration::from_secs(10), step).await?)
}

async fn stop_jobs() -> anyhow::Result<()> {
    let (finish_tx, finish_rx) = mpsc::channel::<()>();
    let work = move || {
        while finish_rx.try_recv().is_err() {
            step();
        }
    };
    // ANCHOR: broken
    let running = spawn_blocking(work);
    let queued = spawn_blocking(|| unreachable!("there is one thread"));
    a_step().await?;
    running.abort();
    queued.abort();
    // ANCHOR_END: broken
    let (ran_tx, ran_rx) = oneshot::channel();
    let late = spawn_blocking(move || ran_tx.send(()));
    let millisecond = Duration::from_millis(1);
    assert!(timeout(millisecond, late).await.is_err(), "it is queued");
    assert!(!running.is_finished(), "it does not notice");
    finish_tx.send(())?;
    ran_rx.await?;
    running.await?;
    assert!(queued.await.is_err_and(|error| error.is_cancelled()));
    println!("abort: the queued job is cancelled, the running one finishes");
    println!("a timeout: the queued job runs");

    STEPS.store(0, Relaxed);
    let (ended_tx, ended_rx) = oneshot::channel();
    let work = async move {
        // ANCHOR: fixed
        let token = CancellationToken::new();
        let _guard = token.clone().drop_guard();
        let job = spawn_blocking(move || {
            while !token.is_cancelled() {
                step();
            }
            let _ = ended_tx.send(());
        });
        job.await
        // ANCHOR_END: fixed
    };
    let caller = tokio::spawn(work);
    a_step().await?;
    caller.abort();
    assert!(caller.await.is_err_and(|error| error.is_cancelled()));
    ended_rx.await?;
    println!("a token: the running job has stopped");
    Ok(())
}

fn main() -> anyhow::Result<()> {
    let mut runtime = Builder::new_multi_thread();
    let runtime = runtime.enable_time().max_blocking_threads(1).build()?;
    runtime.block_on(stop_jobs())
}
// ANCHOR_END: all
