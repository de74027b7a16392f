// ANCHOR: all
use std::future::pending;
use std::time::Duration;

use rustix::process::{Signal, getpid, kill_process};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, sleep, timeout};

const LIMIT: Duration = Duration::from_secs(8);

/// A job hangs.
async fn drain() {
    pending().await
}

async fn hears_one() -> anyhow::Result<&'static str> {
    // ANCHOR: broken
    let mut term = signal(SignalKind::terminate())?;
    term.recv().await;
    drop(term);
    let drained = timeout(LIMIT, drain()).await;
    // ANCHOR_END: broken
    Ok(drained.map_or("at the limit", |()| "drained"))
}

async fn hears_both() -> anyhow::Result<&'static str> {
    // ANCHOR: fixed
    let mut term = signal(SignalKind::terminate())?;
    term.recv().await;
    let ended = tokio::select! {
        drained = timeout(LIMIT, drain()) => drained.map(|()| "drained"),
        _ = term.recv() => Ok("at the second signal"),
    };
    // ANCHOR_END: fixed
    Ok(ended.unwrap_or("at the limit"))
}

/// Sends the signal, and sends it again a second later.
async fn terminate_twice() -> anyhow::Result<()> {
    for _ in 0..2 {
        sleep(Duration::from_secs(1)).await;
        kill_process(getpid(), Signal::TERM)?;
    }
    Ok(())
}

/// How it ends, and when.
async fn ends(
    main: impl AsyncFnOnce() -> anyhow::Result<&'static str>,
) -> anyhow::Result<(Duration, &'static str)> {
    let start = Instant::now();
    let main = async { Ok((main().await?, start.elapsed())) };
    let ((how, when), ()) = tokio::try_join!(main, terminate_twice())?;
    Ok((when, how))
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let (when, how) = ends(hears_one).await?;
    println!("broken: ends after {when:?}, {how}");
    assert_eq!(when, Duration::from_secs(9));

    let (when, how) = ends(hears_both).await?;
    println!("fixed: ends after {when:?}, {how}");
    assert_eq!(when, Duration::from_secs(2));
    Ok(())
}
// ANCHOR_END: all
