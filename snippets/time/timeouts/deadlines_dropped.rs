// ANCHOR: all
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::{sleep, timeout};

static BEGUN: AtomicU32 = AtomicU32::new(0);
const PATIENCE: Duration = Duration::from_secs(3);

/// Binds a wreath, in seven seconds.
async fn bind() -> u32 {
    let number = BEGUN.fetch_add(1, Relaxed) + 1;
    sleep(Duration::from_secs(7)).await;
    number
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    // ANCHOR: broken
    // Broken: each timeout throws away what is half done.
    let mut wreath = None;
    for _ in 0..3 {
        wreath = wreath.or(timeout(PATIENCE, bind()).await.ok());
    }
    println!("begun {}, got {wreath:?}", BEGUN.load(Relaxed));
    assert_eq!((BEGUN.load(Relaxed), wreath), (3, None));
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: it is lent to the timeout, and what is dropped is the loan.
    let mut binding = pin!(bind());
    let mut excuses = 0;
    let wreath = loop {
        match timeout(PATIENCE, &mut binding).await {
            Ok(wreath) => break wreath,
            Err(_) => excuses += 1, // a moment, please
        }
    };
    println!("begun {}, got {wreath}", BEGUN.load(Relaxed));
    assert_eq!((BEGUN.load(Relaxed), wreath, excuses), (4, 4, 2));
    // ANCHOR_END: fixed
}
// ANCHOR_END: all
