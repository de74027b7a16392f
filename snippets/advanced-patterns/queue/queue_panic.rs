// ANCHOR: all
use tokio::sync::mpsc;
use tokio::task::{JoinError, yield_now};

async fn notify(parcel: u32) -> u32 {
    yield_now().await;
    assert_ne!(parcel, 3, "a comma in the address");
    parcel
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let (jobs_tx, mut jobs_rx) = mpsc::channel(4);
    let (done_tx, mut done_rx) = mpsc::channel(10);
    // ANCHOR: broken
    let worker = tokio::spawn(async move {
        while let Some(job) = jobs_rx.recv().await {
            done_tx.send(notify(job).await).await?;
        }
        anyhow::Ok(())
    });
    // ANCHOR_END: broken
    let mut refused = Vec::new();
    for job in 1..=10 {
        if let Err(error) = jobs_tx.send(job).await {
            refused.push(error.0);
        }
    }
    assert!(worker.await.is_err_and(|error| error.is_panic()));
    let mut done = Vec::new();
    while let Some(job) = done_rx.recv().await {
        done.push(job);
    }
    println!("done {done:?}, refused {refused:?}");
    assert_eq!((done, refused), (vec![1, 2], vec![8, 9, 10]));
    // Lost: 3, which the worker had, and 4 to 7, which were in the channel.

    let (jobs_tx, mut jobs_rx) = mpsc::channel(4);
    let (done_tx, mut done_rx) = mpsc::channel::<Result<_, JoinError>>(10);
    // ANCHOR: fixed
    let worker = tokio::spawn(async move {
        while let Some(job) = jobs_rx.recv().await {
            done_tx.send(tokio::spawn(notify(job)).await).await?;
        }
        anyhow::Ok(())
    });
    // ANCHOR_END: fixed
    for job in 1..=10 {
        jobs_tx.send(job).await?;
    }
    drop(jobs_tx);
    worker.await??;
    let (mut done, mut panics) = (Vec::new(), 0);
    while let Some(result) = done_rx.recv().await {
        match result {
            Ok(job) => done.push(job),
            Err(error) => panics += u32::from(error.is_panic()),
        }
    }
    println!("done {done:?}, panics: {panics}");
    assert_eq!((done, panics), (vec![1, 2, 4, 5, 6, 7, 8, 9, 10], 1));
    Ok(())
}
// ANCHOR_END: all
