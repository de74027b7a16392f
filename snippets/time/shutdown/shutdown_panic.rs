// ANCHOR: all
use std::time::Duration;

use async_channel::Receiver;
use tokio::time::sleep;

/// Renders a label in a second. Parcel 7 has no address.
async fn render(parcel: u32) -> u32 {
    sleep(Duration::from_secs(1)).await;
    assert!(parcel != 7, "parcel 7 has no address");
    parcel
}

async fn panics(jobs: Receiver<u32>) {
    // ANCHOR: broken
    while let Ok(parcel) = jobs.recv().await {
        render(parcel).await;
    }
    // ANCHOR_END: broken
}

async fn goes_on(jobs: Receiver<u32>) -> (Vec<u32>, Vec<u32>) {
    let (mut rendered, mut unfinished) = (Vec::new(), Vec::new());
    // ANCHOR: fixed
    while let Ok(parcel) = jobs.recv().await {
        match tokio::spawn(render(parcel)).await {
            Ok(label) => rendered.push(label),
            Err(_) => unfinished.push(parcel),
        }
    }
    // ANCHOR_END: fixed
    (rendered, unfinished)
}

/// A closed queue of four jobs.
fn queue() -> Receiver<u32> {
    let (jobs_tx, jobs) = async_channel::bounded(4);
    for parcel in 6..=9 {
        jobs_tx.try_send(parcel).expect("room for four");
    }
    jobs
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let jobs = queue();
    let worker = tokio::spawn(panics(jobs.clone()));
    let ended = worker.await.expect_err("it panics");
    assert!(ended.is_panic());
    println!("broken: 1 rendered, 1 lost, {} left in the queue", jobs.len());
    assert_eq!(jobs.len(), 2);

    let (rendered, unfinished) = goes_on(queue()).await;
    println!("fixed: {rendered:?} rendered, {unfinished:?} handed back");
    assert_eq!((rendered, unfinished), (vec![6, 8, 9], vec![7]));
    Ok(())
}
// ANCHOR_END: all
