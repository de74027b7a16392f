// ANCHOR: all
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

const TASKS: u32 = 4;
const EVENTS: u32 = 10_000;

static COUNT: AtomicU32 = AtomicU32::new(0);

fn count_in_two_steps() {
    // ANCHOR: broken
    let count = COUNT.load(SeqCst); // two threads may read the same number
    COUNT.store(count + 1, SeqCst);
    // ANCHOR_END: broken
}

fn count_in_one_step() {
    // ANCHOR: fixed
    COUNT.fetch_add(1, SeqCst);
    // ANCHOR_END: fixed
}

/// A round of a test: how many events were lost.
async fn lost(count: fn()) -> u32 {
    COUNT.store(0, SeqCst);
    let mut tasks = JoinSet::new();
    for _ in 0..TASKS {
        tasks.spawn(async move {
            for _ in 0..EVENTS {
                count();
            }
        });
    }
    tasks.join_all().await;
    TASKS * EVENTS - COUNT.load(SeqCst)
}

/// How many of a hundred rounds fail.
fn failures(runtime: &Runtime, count: fn()) -> usize {
    let rounds = (0..100).map(|_| runtime.block_on(lost(count)));
    rounds.filter(|lost| *lost > 0).count()
}

fn main() -> std::io::Result<()> {
    let one_thread = Builder::new_current_thread().build()?;
    let failed = failures(&one_thread, count_in_two_steps);
    println!("two steps, one thread: {failed} of 100 rounds fail");
    assert_eq!(failed, 0);

    let several = Builder::new_multi_thread().worker_threads(4).build()?;
    // With one processor it may take more rounds.
    let start = Instant::now();
    while failures(&several, count_in_two_steps) == 0 {
        assert!(start.elapsed() < Duration::from_secs(30), "no race");
    }
    println!("two steps, four threads: some rounds fail");

    let failed = failures(&several, count_in_one_step);
    println!("one step, four threads: {failed} of 100 rounds fail");
    assert_eq!(failed, 0);
    Ok(())
}
// ANCHOR_END: all
