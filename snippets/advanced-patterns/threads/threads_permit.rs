// ANCHOR: all
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;

use futures::poll;
use tokio::sync::{Semaphore, broadcast, mpsc};
use tokio::task::spawn_blocking;

/// A label that blocks its thread until there is paper.
struct Label {
    started_tx: mpsc::UnboundedSender<()>,
    paper_rx: broadcast::Receiver<()>,
}

impl Label {
    fn print(mut self) {
        let _ = self.started_tx.send(());
        let _ = self.paper_rx.blocking_recv();
    }
}

// ANCHOR: broken
async fn print(printers: Arc<Semaphore>, label: Label) -> anyhow::Result<()> {
    let _permit = printers.acquire().await?;
    Ok(spawn_blocking(|| label.print()).await?)
}
// ANCHOR_END: broken

// ANCHOR: fixed
async fn print_one(
    printers: Arc<Semaphore>,
    label: Label,
) -> anyhow::Result<()> {
    let permit = printers.acquire_owned().await?;
    let print = move || {
        let _permit = permit;
        label.print()
    };
    Ok(spawn_blocking(print).await?)
}
// ANCHOR_END: fixed

/// How many labels are being printed after six callers gave up, and must be.
async fn callers_give_up<F: Future>(
    print: impl Fn(Arc<Semaphore>, Label) -> F,
    expected: usize,
) {
    let printers = Arc::new(Semaphore::new(2));
    let (started_tx, mut started_rx) = mpsc::unbounded_channel();
    let (paper_tx, _) = broadcast::channel(1);
    for _ in 0..6 {
        let (started_tx, paper_rx) = (started_tx.clone(), paper_tx.subscribe());
        let label = Label { started_tx, paper_rx };
        let mut caller = pin!(print(printers.clone(), label));
        assert!(poll!(&mut caller).is_pending());
    } // each caller is dropped here, as by a timeout
    for _ in 0..expected {
        started_rx.recv().await.expect("a job has started");
    }
    drop((paper_tx, started_tx));
    assert!(started_rx.recv().await.is_none(), "no other has started");
    let _all = printers.acquire_many(2).await.expect("never closed");
}

#[tokio::main]
async fn main() {
    callers_give_up(print, 6).await;
    println!("the caller holds the permit: 6 jobs on 2 printers");
    callers_give_up(print_one, 2).await;
    println!("the job holds the permit: 2 jobs on 2 printers");
}
// ANCHOR_END: all
