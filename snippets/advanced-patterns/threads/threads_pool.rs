// ANCHOR: all
use std::time::Duration;

use rayon::ThreadPoolBuilder;
use tokio::net::lookup_host;
use tokio::runtime::Builder;
use tokio::sync::{broadcast, mpsc};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// Whether a file is read, and a host name resolved, in time.
async fn works(limit: Duration) -> (bool, bool) {
    let file = timeout(limit, tokio::fs::metadata("."));
    let host = timeout(limit, lookup_host("localhost:80"));
    let (file, host) = tokio::join!(file, host);
    (file.is_ok(), host.is_ok())
}

/// Two jobs that compute until the sender is dropped.
struct Jobs {
    started_rx: mpsc::UnboundedReceiver<()>,
    finish_tx: broadcast::Sender<()>,
}

impl Jobs {
    fn new() -> (Self, [impl FnOnce() + Send; 2]) {
        let (started_tx, started_rx) = mpsc::unbounded_channel();
        let (finish_tx, finish_rx) = broadcast::channel(1);
        let jobs = [finish_rx.resubscribe(), finish_rx].map(|mut finish_rx| {
            let started_tx = started_tx.clone();
            move || {
                let _ = started_tx.send(());
                let _ = finish_rx.blocking_recv();
            }
        });
        (Jobs { started_rx, finish_tx }, jobs)
    }

    /// Both jobs run at the same time.
    async fn started(&mut self) {
        for _ in 0..2 {
            self.started_rx.recv().await.expect("a job has started");
        }
    }
}

async fn compute() -> anyhow::Result<()> {
    let (mut running, jobs) = Jobs::new();
    // ANCHOR: broken
    let jobs = jobs.map(|job| spawn_blocking(job));
    // ANCHOR_END: broken
    running.started().await;
    assert_eq!(works(Duration::from_millis(100)).await, (false, false));
    drop(running.finish_tx);
    for job in jobs {
        job.await?;
    }
    println!("spawn_blocking: no file, no host name");

    let (mut running, jobs) = Jobs::new();
    let pool = ThreadPoolBuilder::new().num_threads(2).build()?;
    // ANCHOR: fixed
    for job in jobs {
        pool.spawn(job);
    }
    // ANCHOR_END: fixed
    running.started().await;
    assert_eq!(works(Duration::from_secs(30)).await, (true, true));
    drop(running.finish_tx);
    println!("rayon: both");
    Ok(())
}

fn main() -> anyhow::Result<()> {
    let mut runtime = Builder::new_multi_thread();
    let runtime = runtime.enable_all().max_blocking_threads(2).build()?;
    runtime.block_on(compute())
}
// ANCHOR_END: all
