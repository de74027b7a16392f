// ANCHOR: all
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

async fn notify(_parcel: u32) {
    sleep(Duration::from_secs(10)).await;
}

// ANCHOR: broken
type Jobs = Arc<Mutex<mpsc::Receiver<u32>>>;

async fn locking_worker(jobs_rx: Jobs) {
    while let Some(job) = jobs_rx.lock().await.recv().await {
        notify(job).await; // the lock is still held
    }
}
// ANCHOR_END: broken

// ANCHOR: fixed
async fn worker(jobs_rx: Jobs) {
    loop {
        let next = jobs_rx.lock().await.recv().await;
        let Some(job) = next else { return };
        notify(job).await;
    }
}
// ANCHOR_END: fixed

async fn six_jobs<F>(worker: fn(Jobs) -> F) -> anyhow::Result<Duration>
where
    F: Future<Output = ()> + Send + 'static,
{
    let start = Instant::now();
    let (jobs_tx, jobs_rx) = mpsc::channel(8);
    let jobs_rx = Arc::new(Mutex::new(jobs_rx));
    let mut workers = JoinSet::new();
    for _ in 0..3 {
        workers.spawn(worker(jobs_rx.clone()));
    }
    for job in 1..=6 {
        jobs_tx.send(job).await?;
    }
    drop(jobs_tx);
    workers.join_all().await;
    Ok(start.elapsed())
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let serial = six_jobs(locking_worker).await?;
    println!("6 jobs, 3 workers, the lock held: {serial:?}");
    assert_eq!(serial, Duration::from_secs(60));
    let parallel = six_jobs(worker).await?;
    println!("6 jobs, 3 workers, the lock released: {parallel:?}");
    assert_eq!(parallel, Duration::from_secs(20));
    Ok(())
}
// ANCHOR_END: all
