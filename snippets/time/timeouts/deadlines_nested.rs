// ANCHOR: all
use std::cell::Cell;
use std::future::{pending, ready};
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout, timeout_at};

const SECOND: Duration = Duration::from_secs(1);
const MOMENT: Duration = Duration::from_millis(1);

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let apologised = Cell::new(0);
    let ask = async |patience| {
        let answer = timeout(patience, pending::<()>()).await;
        apologised.set(apologised.get() + 1);
        answer
    };

    // The inner one: an error to handle, in time.
    let start = Instant::now();
    let answer = timeout(5 * SECOND, ask(2 * SECOND)).await;
    assert!(matches!(answer, Ok(Err(_))));
    assert_eq!((start.elapsed(), apologised.get()), (2 * SECOND, 1));
    println!("the inner one: {answer:?}");

    // The outer one: what is inside is gone, and does not apologise.
    let start = Instant::now();
    let answer = timeout(2 * SECOND, ask(5 * SECOND)).await;
    assert!(answer.is_err());
    assert_eq!((start.elapsed(), apologised.get()), (2 * SECOND, 1));
    println!("the outer one: {answer:?}");

    // Both at once: a timeout asks its future first, and then the clock.
    let answer = timeout(2 * SECOND, ask(2 * SECOND)).await;
    assert!(matches!(answer, Ok(Err(_))));
    println!("both: {answer:?}");

    // In a task of its own, its timer starts after the outer one.
    let deadline = Instant::now() + 2 * SECOND;
    let inner =
        async { tokio::spawn(timeout_at(deadline, pending::<()>())).await };
    let answer = timeout_at(deadline, inner).await;
    assert!(answer.is_err());
    println!("both, in two tasks: {:?}", answer.err());

    // But what begins a moment later ends a moment later.
    let late = async {
        sleep(MOMENT).await;
        ask(2 * SECOND).await
    };
    let answer = timeout(2 * SECOND, late).await;
    assert!(answer.is_err());
    println!("a moment later: {answer:?}");

    // No time at all is enough for what is there, and to begin the rest.
    let answer = timeout(Duration::ZERO, ready("paid")).await;
    assert_eq!(answer, Ok("paid"));
    println!("no time: {answer:?}");
    let begun = Cell::new(false);
    let begins = async {
        begun.set(true);
        pending::<()>().await;
    };
    assert!(timeout(Duration::ZERO, begins).await.is_err() && begun.get());
}
// ANCHOR_END: all
