// ANCHOR: all
use async_channel::{TrySendError, bounded, unbounded};

fn main() -> anyhow::Result<()> {
    // ANCHOR: broken
    let (jobs_tx, jobs_rx) = unbounded();
    for job in 1..=10_000 {
        jobs_tx.try_send(job)?;
    }
    // ANCHOR_END: broken
    println!("unbounded: {} jobs wait", jobs_rx.len());
    assert_eq!(jobs_rx.len(), 10_000);

    let mut refused = 0;
    // ANCHOR: fixed
    let (jobs_tx, jobs_rx) = bounded(8);
    for job in 1..=10_000 {
        match jobs_tx.try_send(job) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => refused += 1, // answer 503
            Err(error) => return Err(error.into()),
        }
    }
    // ANCHOR_END: fixed
    println!("bounded: {} jobs wait, refused: {refused}", jobs_rx.len());
    assert_eq!((jobs_rx.len(), refused), (8, 9_992));
    Ok(())
}
// ANCHOR_END: all
