// ANCHOR: all
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use tokio::task::yield_now;

static POLLS: AtomicU32 = AtomicU32::new(0);

/// Passes on each poll, and counts it.
async fn counted<F: Future + Unpin>(mut future: F) -> F::Output {
    poll_fn(|context| {
        POLLS.fetch_add(1, Relaxed);
        Pin::new(&mut future).poll(context)
    })
    .await
}

/// Waits a hundred times.
async fn work() {
    for _ in 0..100 {
        yield_now().await;
    }
}

// ANCHOR: broken
async fn work_below(depth: u32) {
    match depth {
        0 => work().await,
        _ => counted(Box::pin(work_below(depth - 1))).await,
    }
}
// ANCHOR_END: broken

// ANCHOR: fixed
async fn spawn_below(depth: u32) {
    match depth {
        0 => tokio::spawn(work()).await.expect("no panic"),
        _ => counted(Box::pin(spawn_below(depth - 1))).await,
    }
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread")]
async fn main() {
    for (depth, expected) in [(10, 1_010), (1_000, 101_000)] {
        work_below(depth).await;
        let polls = POLLS.swap(0, Relaxed);
        println!("{depth} deep: {polls} polls");
        assert_eq!(polls, expected);
    }

    spawn_below(1_000).await;
    let polls = POLLS.swap(0, Relaxed);
    println!("1000 deep, and a task works: {polls} polls");
    assert_eq!(polls, 2_000);
}
// ANCHOR_END: all
