// ANCHOR: all
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

/// A runtime with a blocking job that runs until a value is sent to it.
fn start() -> anyhow::Result<(Runtime, Sender<()>)> {
    let runtime = Builder::new_current_thread().build()?;
    let (stop_tx, stop_rx) = channel();
    let (begun_tx, begun_rx) = channel();
    runtime.spawn_blocking(move || {
        begun_tx.send(()).expect("`start` waits");
        stop_rx.recv()
    });
    begun_rx.recv()?;
    Ok((runtime, stop_tx))
}

fn main() -> anyhow::Result<()> {
    // Broken: a runtime that is dropped waits for its blocking jobs, and so
    // does a `main` that returns.
    let (runtime, stop_tx) = start()?;
    let (ended_tx, ended_rx) = channel();
    let thread = thread::spawn(move || {
        drop(runtime);
        ended_tx.send(())
    });
    let ended = ended_rx.recv_timeout(Duration::from_millis(100));
    println!("drop: {ended:?}");
    assert_eq!(ended, Err(RecvTimeoutError::Timeout));
    stop_tx.send(())?;
    thread.join().expect("no panic")?;

    // Fixed: this one does not.
    let (runtime, stop_tx) = start()?;
    runtime.shutdown_background();
    println!("shutdown_background: the runtime has ended, the job runs");
    stop_tx.send(())?;
    Ok(())
}
// ANCHOR_END: all
