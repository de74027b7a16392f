// ANCHOR: all
use std::future::pending;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

/// The third request is answered, after two seconds.
async fn quote(attempt: u32) -> u32 {
    if attempt < 3 {
        pending::<()>().await;
    }
    sleep(2 * SECOND).await;
    700
}

// ANCHOR: broken
async fn ten_seconds_each() -> Option<u32> {
    for attempt in 1..=3 {
        let quote = timeout(10 * SECOND, quote(attempt)).await;
        if let Ok(cents) = quote {
            return Some(cents);
        }
    }
    None
}
// ANCHOR_END: broken

// ANCHOR: fixed
async fn ten_seconds_for_all(deadline: Instant) -> Option<u32> {
    for attempt in 1..=3 {
        let left = deadline.duration_since(Instant::now());
        let share = left / (4 - attempt); // a third, a half, all of it
        if let Ok(cents) = timeout(share, quote(attempt)).await {
            return Some(cents);
        }
    }
    None
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let start = Instant::now();
    let cents = ten_seconds_each().await;
    println!("ten seconds each: {cents:?} after {:?}", start.elapsed());
    assert_eq!((cents, start.elapsed()), (Some(700), 22 * SECOND));

    let start = Instant::now();
    let cents = ten_seconds_for_all(start + 10 * SECOND).await;
    let took = start.elapsed();
    println!("ten seconds for all: {cents:?} after {took:.1?}");
    assert_eq!(cents, Some(700));
    assert!(took > 8 * SECOND && took < 9 * SECOND);
}
// ANCHOR_END: all
