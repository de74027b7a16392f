// ANCHOR: all
use std::future::pending;
use std::time::Duration;

use rustix::process::{Signal, getpid, kill_process};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, sleep, timeout};

const LIMIT: Duration = Duration::from_secs(30);

/// The centrifuge is stuck.
async fn finish() {
    pending().await
}

// ANCHOR: broken
// Broken: one signal is heard, and the next does nothing at all.
async fn hears_one() -> anyhow::Result<&'static str> {
    let mut term = signal(SignalKind::terminate())?;
    term.recv().await;
    drop(term);
    let finished = timeout(LIMIT, finish()).await;
    Ok(finished.map_or("after the limit", |()| "finished"))
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: whoever sends it again has no more patience.
async fn hears_both() -> anyhow::Result<&'static str> {
    let mut term = signal(SignalKind::terminate())?;
    term.recv().await;
    Ok(tokio::select! {
        () = finish() => "finished",
        () = sleep(LIMIT) => "after the limit",
        _ = term.recv() => "at once",
    })
}
// ANCHOR_END: fixed

/// Sends the signal, and sends it again a second later.
async fn terminate_twice() -> anyhow::Result<()> {
    for _ in 0..2 {
        sleep(Duration::from_secs(1)).await;
        kill_process(getpid(), Signal::TERM)?;
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let start = Instant::now();
    let (ended, ()) = tokio::try_join!(hears_one(), terminate_twice())?;
    println!("{ended}: {:?}", start.elapsed());
    assert_eq!(start.elapsed(), Duration::from_secs(31));

    let start = Instant::now();
    let (ended, ()) = tokio::try_join!(hears_both(), terminate_twice())?;
    println!("{ended}: {:?}", start.elapsed());
    assert_eq!(start.elapsed(), Duration::from_secs(2));
    Ok(())
}
// ANCHOR_END: all
