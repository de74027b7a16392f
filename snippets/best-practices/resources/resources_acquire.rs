// ANCHOR: all
use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::Mutex;

use tokio::task::yield_now;

/// The lines that the exchange holds for us.
static HELD: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

async fn reserve(line: u32) {
    yield_now().await; // the request is under way
    HELD.lock().expect("never poisoned").insert(line);
    yield_now().await; // the answer is under way
}

async fn dial() {
    yield_now().await;
}

// ANCHOR: guard
/// Gives the line back. If it was never reserved, that does nothing.
struct Line(u32);

impl Drop for Line {
    fn drop(&mut self) {
        HELD.lock().expect("never poisoned").remove(&self.0);
    }
}
// ANCHOR_END: guard

// ANCHOR: broken
// Broken: the guard is there when everything has gone well.
async fn guard_last(line: u32) -> Line {
    reserve(line).await;
    dial().await;
    Line(line)
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: the guard is there before the first await.
async fn guard_first(line: u32) -> Line {
    let line = Line(line);
    reserve(line.0).await;
    dial().await;
    line
}
// ANCHOR_END: fixed

/// Drops the opening of line 0 after no poll, of line 1 after one, and so on
/// until one is open. Returns the lines that are held, and by nobody.
async fn left_by(open: impl AsyncFn(u32) -> Line) -> Vec<u32> {
    for line in 0.. {
        let mut opening = pin!(open(line));
        for _ in 0..line {
            if futures::poll!(&mut opening).is_ready() {
                let held = HELD.lock().expect("never poisoned");
                return held.iter().copied().collect();
            }
        }
    }
    unreachable!("it opens in the end")
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let left = left_by(guard_last).await;
    println!("guard last: {left:?} reserved for ever");
    assert_eq!(left, [2, 3]);

    HELD.lock().expect("never poisoned").clear();
    let left = left_by(guard_first).await;
    println!("guard first: {left:?}");
    assert!(left.is_empty());
}
// ANCHOR_END: all
