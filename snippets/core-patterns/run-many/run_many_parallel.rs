// ANCHOR: all
use std::sync::{Arc, Barrier};
use std::thread::{self, ThreadId};

use futures::future::join_all;
use tokio::task::block_in_place;

/// Opens for two threads that wait in it at once, and for nobody else.
fn meet(barrier: &Barrier) -> ThreadId {
    barrier.wait(); // blocks the thread, and is meant to
    thread::current().id()
}

#[tokio::main(worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let barrier = Arc::new(Barrier::new(2));

    // ANCHOR: spawn
    // Two tasks meet: both are inside, at one moment, on two threads.
    let [one, two] = [(); 2].map(|()| {
        let barrier = Arc::clone(&barrier);
        // Who blocks a worker hands the worker's other tasks on.
        tokio::spawn(async move { block_in_place(|| meet(&barrier)) })
    });
    assert_ne!(one.await?, two.await?);
    println!("spawn: two threads at once");
    // ANCHOR_END: spawn

    // ANCHOR: join
    // Futures of one task never do. The thread of `main` comes in four times
    // to let them out one by one: had two met, it would wait for ever.
    let task = tokio::spawn({
        let barrier = Arc::clone(&barrier);
        async move {
            let enter = async || meet(&barrier);
            let (one, two) = tokio::join!(enter(), enter());
            let more = join_all([enter(), enter()]).await;
            [[one, two], [more[0], more[1]]]
        }
    });
    for _ in 0..4 {
        meet(&barrier);
    }
    assert!(task.await?.iter().all(|[one, two]| one == two));
    println!("join!, join_all: one thread, one after the other");
    // ANCHOR_END: join
    Ok(())
}
// ANCHOR_END: all
