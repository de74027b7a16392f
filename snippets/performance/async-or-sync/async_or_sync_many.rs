// ANCHOR: all
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use anyhow::Context;
use tokio::task::{JoinSet, yield_now};
use tokio::time::{Instant, sleep};

static ASKED: AtomicUsize = AtomicUsize::new(0);

/// How many threads this process has, as Linux counts them.
fn threads() -> anyhow::Result<usize> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let count = status.lines().find_map(|line| line.strip_prefix("Threads:"));
    Ok(count.context("no count")?.trim().parse()?)
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let start = Instant::now();
    let mut answers = JoinSet::new();
    for _ in 0..10_000 {
        answers.spawn(async {
            ASKED.fetch_add(1, Relaxed);
            sleep(Duration::from_secs(1)).await; // the survey thinks
        });
    }
    while ASKED.load(Relaxed) < 10_000 {
        yield_now().await;
    }
    let threads = threads()?;
    let answered = answers.join_all().await.len();
    let time = start.elapsed();
    println!("{answered} answers after {time:?}, with {threads} thread");
    assert_eq!((answered, threads), (10_000, 1));
    assert_eq!(time.as_secs(), 1);
    Ok(())
}
// ANCHOR_END: all
