// ANCHOR: all
use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};
use std::{fs, thread};

use tokio::task::spawn_blocking;
use tokio::time::sleep;

const BEAT: Duration = Duration::from_millis(1);

static BEATS: AtomicU32 = AtomicU32::new(0);

async fn heart() {
    loop {
        sleep(BEAT).await;
        BEATS.fetch_add(1, Relaxed);
    }
}

/// Repeats `work` until the heart has beaten ten times, or the time is up.
async fn beats<F: Future>(work: impl Fn() -> F, limit: Duration) -> u32 {
    let (end, before) = (Instant::now() + limit, BEATS.load(Relaxed));
    loop {
        work().await;
        let beats = BEATS.load(Relaxed) - before;
        if beats >= 10 || Instant::now() > end {
            return beats;
        }
    }
}

/// One page of a letter, as a matrix of ink.
fn read_the_hand(page: &[u8]) -> u64 {
    page.iter().fold(0, |hash, ink| hash * 31 % 65_521 + u64::from(*ink))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let heart = tokio::spawn(heart());
    while BEATS.load(Relaxed) == 0 {
        sleep(BEAT).await;
    }
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("letter.tif");
    fs::write(&file, vec![7; 100_000])?;
    const PAGE: &[u8] = &[7; 100_000];

    // ANCHOR: broken
    // Broken: an async block is no cure. There is no await in these.
    let time = 100 * BEAT;
    let asleep = || async { thread::sleep(BEAT) };
    assert_eq!(beats(asleep, time).await, 0);
    let reading = || async { fs::read(&file).expect("the letter") };
    assert_eq!(beats(reading, time).await, 0);
    let computing = || async { read_the_hand(PAGE) };
    assert_eq!(beats(computing, time).await, 0);
    println!("thread::sleep, fs::read, a computation: no beat");
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: each of these gives the thread away while it waits.
    let time = Duration::from_secs(30);
    let asleep = || sleep(BEAT);
    assert!(beats(asleep, time).await >= 10);
    let reading =
        || async { tokio::fs::read(&file).await.expect("the letter") };
    assert!(beats(reading, time).await >= 10);
    let computing = || spawn_blocking(|| read_the_hand(PAGE));
    assert!(beats(computing, time).await >= 10);
    println!("sleep, tokio::fs::read, spawn_blocking: ten beats");
    // ANCHOR_END: fixed

    heart.abort();
    assert!(heart.await.unwrap_err().is_cancelled());
    Ok(())
}
// ANCHOR_END: all
