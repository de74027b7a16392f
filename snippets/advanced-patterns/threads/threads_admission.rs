// ANCHOR: all
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;

use futures::poll;
use tokio::sync::{Semaphore, broadcast, mpsc};
use tokio::task::{JoinError, spawn_blocking};

/// Blocks its thread until the paper comes, or never will.
struct Job {
    started: mpsc::UnboundedSender<()>,
    paper: broadcast::Receiver<()>,
}

impl Job {
    fn run(mut self) {
        _ = self.started.send(());
        _ = self.paper.blocking_recv();
    }
}

// ANCHOR: broken
// Broken: the caller holds the permit, and the caller may leave.
async fn scan_loosely(two: Arc<Semaphore>, job: Job) -> Result<(), JoinError> {
    let _permit = two.acquire().await.expect("never closed");
    spawn_blocking(|| job.run()).await
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: the job holds it.
async fn scan(two: Arc<Semaphore>, job: Job) -> Result<(), JoinError> {
    let permit = two.acquire_owned().await.expect("never closed");
    spawn_blocking(|| {
        let _permit = permit;
        job.run()
    })
    .await
}
// ANCHOR_END: fixed

/// Six callers come and go. Exactly so many jobs run at once, and ever.
async fn callers_leave<F: Future>(
    scan: impl Fn(Arc<Semaphore>, Job) -> F,
    expected: usize,
) {
    let two = Arc::new(Semaphore::new(2));
    let (started, mut starts) = mpsc::unbounded_channel();
    let (tray, _) = broadcast::channel(1);
    for _ in 0..6 {
        let job = Job { started: started.clone(), paper: tray.subscribe() };
        let mut caller = pin!(scan(two.clone(), job));
        assert!(poll!(&mut caller).is_pending());
    } // the caller is dropped here, as a timeout would
    for _ in 0..expected {
        starts.recv().await.expect("a job has started");
    }
    drop((tray, started));
    assert!(starts.recv().await.is_none(), "all have ended, no more began");
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    callers_leave(scan_loosely, 6).await;
    println!("permit with the caller: 6 scans on 2 scanners");
    callers_leave(scan, 2).await;
    println!("permit with the job: 2 scans on 2 scanners");
}
// ANCHOR_END: all
