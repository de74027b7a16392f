// ANCHOR: all
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use futures::future::{join_all, try_join_all};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

static ANSWERS: AtomicU32 = AtomicU32::new(0);

/// Answers after so many seconds; the one that takes two is out of order.
async fn read(seconds: u64) -> Result<u64, &'static str> {
    sleep(Duration::from_secs(seconds)).await;
    if seconds == 2 {
        return Err("no signal");
    }
    ANSWERS.fetch_add(1, Relaxed);
    Ok(seconds)
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: all_or_nothing
    // All or nothing: the first error ends it and drops the others.
    let start = Instant::now();
    let result = try_join_all([1, 2, 3].map(read)).await;
    assert_eq!(result, Err("no signal"));
    assert_eq!(start.elapsed(), Duration::from_secs(2));
    sleep(Duration::from_secs(60)).await;
    assert_eq!(ANSWERS.swap(0, Relaxed), 1, "the third never ends");
    println!("try_join_all: {result:?}");
    // ANCHOR_END: all_or_nothing

    // ANCHOR: each
    // Each: errors are values like the others.
    let results = join_all([1, 2, 3].map(read)).await;
    assert_eq!(results, [Ok(1), Err("no signal"), Ok(3)]);
    println!("join_all: {results:?}");
    // ANCHOR_END: each

    // ANCHOR: panic
    // A panic takes its task with it. In one task, that is the whole batch:
    let insist = async |seconds| read(seconds).await.expect("all work");
    ANSWERS.store(0, Relaxed);
    let batch = tokio::spawn(join_all([1, 2, 3].map(insist)));
    assert!(batch.await.unwrap_err().is_panic());
    sleep(Duration::from_secs(60)).await;
    assert_eq!(ANSWERS.swap(0, Relaxed), 1);

    // In a task each, it is one reading.
    let mut tasks = JoinSet::from_iter([1, 2, 3].map(insist));
    let mut lost = 0;
    while let Some(joined) = tasks.join_next().await {
        lost += u32::from(joined.is_err_and(|error| error.is_panic()));
    }
    assert_eq!((ANSWERS.load(Relaxed), lost), (2, 1));
    println!("JoinSet: {ANSWERS:?} answers, {lost} panic");
    // ANCHOR_END: panic
    Ok(())
}
// ANCHOR_END: all
