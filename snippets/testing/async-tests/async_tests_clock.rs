// ANCHOR: all
use std::time::Duration;

use sqlx::SqlitePool;
use sqlx::sqlite::SqlitePoolOptions;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, pause, resume, sleep, timeout};

const HOUR: Duration = Duration::from_secs(3_600);
const MS: Duration = Duration::from_millis(1);

async fn connect() -> sqlx::Result<SqlitePool> {
    // ANCHOR: broken_peer
    let pool = SqlitePool::connect("sqlite::memory:").await;
    // ANCHOR_END: broken_peer
    pool
}

/// Renders a label for 20 ms.
fn render() -> &'static str {
    std::thread::sleep(20 * MS);
    "a label"
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    // On a busy machine, now and then the thread is quicker.
    let real = std::time::Instant::now();
    let error = loop {
        match connect().await {
            Ok(pool) => pool.close().await,
            Err(error) => break error,
        }
    };
    println!("sqlx, paused clock: {error}");
    assert!(matches!(error, sqlx::Error::PoolTimedOut));
    let limit = SqlitePoolOptions::new().get_acquire_timeout();
    assert!(real.elapsed() < limit / 2, "not by the running clock");

    // ANCHOR: broken_blocking
    let label = timeout(5 * MS, spawn_blocking(render)).await;
    // ANCHOR_END: broken_blocking
    println!("spawn_blocking: {label:?}");
    assert!(label.is_ok());

    // ANCHOR: fixed_blocking
    let render = async || sleep(20 * MS).await;
    let label = timeout(5 * MS, render()).await;
    // ANCHOR_END: fixed_blocking
    println!("sleep: {label:?}");
    assert!(label.is_err());
    assert!(timeout(21 * MS, render()).await.is_ok());

    // The files of tokio are read on such a thread.
    assert!(timeout(MS / 1_000, tokio::fs::metadata(".")).await.is_ok());

    // A connection in memory has no peer that the runtime does not know.
    let (mut peer, mut stream) = duplex(16);
    let start = Instant::now();
    let event = timeout(HOUR, stream.read_u8());
    let sent = async {
        sleep(HOUR / 2).await;
        peer.write_u8(42).await
    };
    let (event, sent) = tokio::join!(event, sent);
    assert_eq!((event??, start.elapsed()), (42, HOUR / 2));
    sent?;

    // ANCHOR: broken_std
    let start = std::time::Instant::now();
    sleep(HOUR).await;
    let is_old = start.elapsed() >= HOUR;
    // ANCHOR_END: broken_std
    println!("std's Instant: an hour old: {is_old}");
    assert!(!is_old);

    // ANCHOR: fixed_std
    let start = tokio::time::Instant::now();
    sleep(HOUR).await;
    let is_old = start.elapsed() >= HOUR;
    // ANCHOR_END: fixed_std
    println!("tokio's Instant: an hour old: {is_old}");
    assert!(is_old);

    resume();
    let pool = connect().await?;
    println!("sqlx, running clock: connected");

    pause();
    let error = loop {
        if let Err(error) = pool.acquire().await {
            break error;
        }
    };
    println!("sqlx, paused later: {error}");
    assert!(matches!(error, sqlx::Error::PoolTimedOut));
    Ok(())
}
// ANCHOR_END: all
