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

/// Digs, and rests a hundred times.
async fn dig() {
    for _ in 0..100 {
        yield_now().await;
    }
}

async fn dig_below(chambers: u32) {
    match chambers {
        0 => dig().await,
        _ => counted(Box::pin(dig_below(chambers - 1))).await,
    }
}

async fn send_below(chambers: u32) {
    match chambers {
        0 => tokio::spawn(dig()).await.expect("no panic"),
        _ => counted(Box::pin(send_below(chambers - 1))).await,
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    for (depth, expected) in [(10, 1_010), (1_000, 101_000)] {
        dig_below(depth).await;
        let polls = POLLS.swap(0, Relaxed);
        println!("{depth} deep: {polls} polls");
        assert_eq!(polls, expected);
    }

    send_below(1_000).await;
    let polls = POLLS.swap(0, Relaxed);
    println!("1000 deep, and a task digs: {polls} polls");
    assert_eq!(polls, 2_000);
}
// ANCHOR_END: all
