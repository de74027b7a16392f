// ANCHOR: all
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, spawn_blocking};

/// A pump of the old kind: it blocks its thread, and says what it has pumped.
fn pump(litres: mpsc::Sender<u32>) -> u32 {
    let mut pumped = 0;
    while litres.blocking_send(pumped + 1).is_ok() {
        pumped += 1;
    }
    pumped
}

fn start() -> (JoinHandle<u32>, mpsc::Receiver<u32>) {
    let (litres, said) = mpsc::channel(1);
    (spawn_blocking(|| pump(litres)), said)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: broken
    // Broken: nobody is polled on that thread, so nothing can be dropped.
    let (pumping, mut said) = start();
    assert_eq!(said.recv().await, Some(1));
    pumping.abort();
    let mut more = 0;
    while more < 1000 {
        more = said.recv().await.expect("it pumps on");
    }
    println!("aborted: it has pumped {more} l, and goes on");
    assert!(!pumping.is_finished());
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: it ends when nobody listens any more. `abort` was no use at all:
    // the task ends with a result.
    drop(said);
    let pumped = pumping.await?;
    println!("nobody listens: it ends by itself");
    assert!(pumped >= 1000);
    // ANCHOR_END: fixed
    Ok(())
}
// ANCHOR_END: all
