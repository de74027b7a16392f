// ANCHOR: all
use std::future::Future;
use std::io::{Read, pipe};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use tracing::subscriber::set_default;
use tracing::{Instrument, info, info_span};

async fn sit(hours: u64) {
    sleep(Duration::from_secs(3600 * hours)).await;
}

// ANCHOR: broken
/// Broken: still entered while it waits, and whoever runs then is inside.
async fn enter(number: u32, hours: u64) {
    let span = info_span!("case", number);
    let _inside = span.enter();
    info!("opened");
    sit(hours).await;
    info!("closed");
}
// ANCHOR_END: broken

// ANCHOR: fixed
/// Fixed: entered for each poll, and left after it.
async fn instrument(number: u32, hours: u64) {
    let hearing = async {
        info!("opened");
        sit(hours).await;
        let copy = async { info!("copied") };
        let copy = tokio::spawn(copy.in_current_span()); // else in none
        copy.await.expect("no panic");
        info!("closed");
    };
    hearing.instrument(info_span!("case", number)).await;
}
// ANCHOR_END: fixed

/// What two tasks log.
async fn log_of<F>(seven: F, eight: F) -> anyhow::Result<String>
where
    F: Future<Output = ()> + Send + 'static,
{
    let (mut log, writer) = pipe()?;
    let subscriber = tracing_subscriber::fmt()
        .without_time()
        .with_level(false)
        .with_target(false)
        .with_ansi(false)
        .with_writer(Arc::new(writer));
    let logging = set_default(subscriber.finish());
    tokio::try_join!(tokio::spawn(seven), tokio::spawn(eight))?;
    drop(logging);
    let mut lines = String::new();
    log.read_to_string(&mut lines)?;
    Ok(lines)
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let log = log_of(enter(7, 2), enter(8, 1)).await?;
    print!("entered:\n{log}");
    let in_seven = log.lines().filter(|line| line.contains("number=7"));
    assert_eq!(in_seven.count(), 4, "case 8 is inside of case 7");

    let log = log_of(instrument(7, 2), instrument(8, 1)).await?;
    print!("instrumented:\n{log}");
    for number in ["7", "8"] {
        let start = format!("case{{number={number}}}: ");
        let lines = log.lines().filter(|line| line.starts_with(&start));
        assert_eq!(lines.count(), 3);
    }
    Ok(())
}
// ANCHOR_END: all
