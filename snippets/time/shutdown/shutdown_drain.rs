// ANCHOR: all
use async_channel::{Receiver, Sender, bounded};
use tokio::task::{JoinSet, yield_now};

/// Handlers that send a job each: a `true` is an answer "accepted".
fn handlers(jobs_tx: &Sender<u32>) -> JoinSet<bool> {
    let send = |parcel| {
        let jobs_tx = jobs_tx.clone();
        async move { jobs_tx.send(parcel).await.is_ok() }
    };
    (1..=5).map(send).collect()
}

/// A queue with two places, and five handlers that send to it.
async fn full_queue() -> (Receiver<u32>, JoinSet<bool>) {
    let (jobs_tx, jobs) = bounded(2);
    let handlers = handlers(&jobs_tx);
    while !jobs.is_full() {
        yield_now().await;
    }
    (jobs, handlers)
}

/// How many jobs are accepted in the end. Each handler ends by itself, or
/// waits for a place for ever.
async fn accepted(mut handlers: JoinSet<bool>) -> usize {
    for _ in 0..10 {
        yield_now().await;
    }
    let mut accepted = 0;
    while let Some(answer) = handlers.try_join_next() {
        accepted += usize::from(answer.expect("no panic"));
    }
    accepted
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let mut unfinished = Vec::new();
    let (jobs, handlers) = full_queue().await;
    // ANCHOR: broken
    while let Ok(parcel) = jobs.try_recv() {
        unfinished.push(parcel);
    }
    // ANCHOR_END: broken
    let (accepted_all, back) = (accepted(handlers).await, unfinished.len());
    println!("broken: {accepted_all} accepted, {back} handed back");
    assert_eq!((accepted_all, back), (4, 2));

    unfinished.clear();
    let (jobs, handlers) = full_queue().await;
    // ANCHOR: fixed
    jobs.close();
    while let Ok(parcel) = jobs.recv().await {
        unfinished.push(parcel);
    }
    // ANCHOR_END: fixed
    let (accepted_all, back) = (accepted(handlers).await, unfinished.len());
    println!("fixed: {accepted_all} accepted, {back} handed back");
    assert_eq!((accepted_all, back), (2, 2));
}
// ANCHOR_END: all
