// ANCHOR: all
use std::any::Any;
use std::future::pending;
use std::panic::resume_unwind;

use tokio::task::{JoinError, yield_now};

#[derive(Debug, thiserror::Error)]
#[error("shelf {0} is empty")]
struct Empty(usize);

async fn count(shelf: usize) -> Result<u32, Empty> {
    yield_now().await;
    match [40, 0, 12][shelf] {
        0 => Err(Empty(shelf)),
        12 => panic!("a shelf holds tens"),
        packs => Ok(packs),
    }
}

// ANCHOR: ends
/// The four ends of a task.
fn report(joined: Result<Result<u32, Empty>, JoinError>) -> String {
    match joined {
        Ok(Ok(packs)) => format!("{packs} packs"),
        Ok(Err(error)) => format!("error: {error}"),
        Err(end) if end.is_cancelled() => "cancelled".into(),
        Err(end) => format!("panic: {}", message(&*end.into_panic())),
    }
}

/// A panic carries a `&str` if its message is a literal, else a `String`.
fn message(panic: &(dyn Any + Send)) -> &str {
    let literal = panic.downcast_ref::<&str>().copied();
    let formatted = || panic.downcast_ref::<String>().map(String::as_str);
    literal.or_else(formatted).unwrap_or("no message")
}
// ANCHOR_END: ends

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    for (shelf, expected) in [
        (0, "40 packs"),
        (1, "error: shelf 1 is empty"),
        (2, "panic: a shelf holds tens"),
        (3, "panic: index out of bounds: the len is 3 but the index is 3"),
    ] {
        let report = report(tokio::spawn(count(shelf)).await);
        println!("{report}");
        assert_eq!(report, expected);
    }

    // ANCHOR: cancelled
    let task = tokio::spawn(pending());
    task.abort();
    let report = report(task.await); // nothing is raised here
    println!("{report}");
    assert_eq!(report, "cancelled");
    // ANCHOR_END: cancelled

    // ANCHOR: resume
    // A bug is not yours to handle: let it go on, it unwinds this task too.
    let outer = tokio::spawn(async {
        match tokio::spawn(count(2)).await {
            Err(end) if end.is_panic() => resume_unwind(end.into_panic()),
            joined => joined,
        }
    });
    let panic = outer.await.unwrap_err().into_panic();
    assert_eq!(message(&*panic), "a shelf holds tens");
    // ANCHOR_END: resume
    Ok(())
}
// ANCHOR_END: all
