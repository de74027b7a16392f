// ANCHOR: all
use std::future::pending;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

const TEN: Duration = Duration::from_secs(10);

/// The third time it answers, after two seconds.
async fn bank(attempt: u32) {
    match attempt {
        3 => sleep(Duration::from_secs(2)).await,
        _ => pending().await,
    }
}

// ANCHOR: broken
// Broken: ten seconds, and again, and again.
async fn ten_each() -> Option<u32> {
    for attempt in 1..=3 {
        if timeout(TEN, bank(attempt)).await.is_ok() {
            return Some(attempt);
        }
    }
    None
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: each attempt has its share of what is left.
async fn ten_for_all() -> Option<u32> {
    let deadline = Instant::now() + TEN;
    for attempt in 1..=3 {
        let left = deadline.duration_since(Instant::now());
        let share = left / (4 - attempt);
        if timeout(share, bank(attempt)).await.is_ok() {
            return Some(attempt);
        }
    }
    None
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let start = Instant::now();
    let answered = ten_each().await;
    let took = start.elapsed();
    println!("ten each: attempt {answered:?}, after {took:.1?}");
    assert_eq!((answered, took.as_secs()), (Some(3), 22));

    let start = Instant::now();
    let answered = ten_for_all().await;
    let took = start.elapsed();
    println!("ten for all: attempt {answered:?}, after {took:.1?}");
    assert_eq!((answered, took.as_secs()), (Some(3), 8));
}
// ANCHOR_END: all
