// ANCHOR: all
use std::sync::{Arc, Barrier};
use std::thread::{self, ThreadId};

use futures::future::join_all;
use tokio::task::spawn_blocking;

/// Renders with another one: it blocks until two threads do so. Says on which
/// thread it ran.
fn meet(barrier: &Barrier) -> ThreadId {
    barrier.wait();
    thread::current().id()
}

#[tokio::main(worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let barrier = Arc::new(Barrier::new(2));

    // Two labels are never rendered at the same time here: if two met, the
    // thread of `main` would wait forever for the others.
    let task = tokio::spawn({
        let barrier = Arc::clone(&barrier);
        async move {
            let render = async || meet(&barrier);
            // ANCHOR: broken
            let labels = join_all([render(), render()]).await;
            // ANCHOR_END: broken
            let (one, two) = tokio::join!(render(), render());
            [labels, vec![one, two]]
        }
    });
    for _ in 0..4 {
        meet(&barrier);
    }
    for threads in task.await? {
        assert_eq!(threads[0], threads[1]);
    }
    println!("join_all, join!: one after the other, on one thread");

    let render = move || meet(&barrier);
    // ANCHOR: fixed
    let tasks = [spawn_blocking(render.clone()), spawn_blocking(render)];
    let labels = join_all(tasks).await;
    // ANCHOR_END: fixed
    let threads = labels.into_iter().collect::<Result<Vec<_>, _>>()?;
    assert_ne!(threads[0], threads[1]);
    println!("spawn_blocking: at the same time, on two threads");
    Ok(())
}
// ANCHOR_END: all
