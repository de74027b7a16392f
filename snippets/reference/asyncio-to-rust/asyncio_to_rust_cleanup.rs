// ANCHOR: all
use std::mem::take;
use std::sync::Mutex;
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};
use tokio::time::{sleep, timeout};

const HOUR: Duration = Duration::from_secs(3600);

static LOG: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn log(what: String) {
    LOG.lock().expect("never poisoned").push(what);
}

fn logged() -> Vec<String> {
    take(&mut LOG.lock().expect("never poisoned"))
}

/// A guard.
struct Rope(&'static str);

impl Rope {
    /// What takes an await, and reports its errors.
    async fn cast_off(self) {
        sleep(HOUR).await;
        log(format!("{} cast off", self.0));
    }
}

impl Drop for Rope {
    fn drop(&mut self) {
        log(format!("{} dropped", self.0));
    }
}

/// `async with`: casts off when the work has ended, well or not.
async fn with_rope<T>(work: impl AsyncFnOnce(&Rope) -> T) -> T {
    let rope = Rope("bow");
    let done = work(&rope).await;
    rope.cast_off().await;
    done
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    // A guard: closed by hand where you get that far, dropped on every way.
    let unload = async {
        let rope = Rope("bow");
        sleep(HOUR).await;
        rope.cast_off().await;
    };
    assert!(timeout(HOUR / 2, unload).await.is_err());
    assert_eq!(logged(), ["bow dropped"]);
    println!("guard: dropped when the work is cancelled");

    // A wrapper that takes an async closure: closed after an error.
    let done = with_rope(async |rope| {
        sleep(HOUR).await;
        Err::<(), _>(rope.0)
    });
    assert_eq!(done.await, Err("bow"));
    assert_eq!(logged(), ["bow cast off", "bow dropped"]);
    let cancelled = with_rope(async |_| sleep(HOUR).await);
    assert!(timeout(HOUR / 2, cancelled).await.is_err());
    assert_eq!(logged(), ["bow dropped"]);
    println!("with_rope: closed after an error, dropped when cancelled");

    // AsyncExitStack: locals go in reverse, the elements of a Vec do not.
    {
        let _bow = Rope("bow");
        let _stern = Rope("stern");
    }
    assert_eq!(logged(), ["stern dropped", "bow dropped"]);
    drop(vec![Rope("bow"), Rope("stern")]);
    assert_eq!(logged(), ["bow dropped", "stern dropped"]);
    println!("drop order: the last local, the first element");

    // What takes an await waits in a stack.
    let mut stack: Vec<BoxFuture<()>> = Vec::new();
    for name in ["bow", "stern"] {
        stack.push(Rope(name).cast_off().boxed());
    }
    while let Some(cleanup) = stack.pop() {
        cleanup.await;
    }
    let cast_off = ["stern cast off", "stern dropped"];
    assert_eq!(logged(), [cast_off, ["bow cast off", "bow dropped"]].concat());
    println!("a Vec of cleanups: the last one first");
}
// ANCHOR_END: all
