// ANCHOR: all
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use anyhow::{Error, Result, bail};
use tokio::task::JoinSet;
use tokio::time::sleep;

const SECOND: Duration = Duration::from_secs(1);

/// Buys a label; the carrier replies a second after the purchase.
async fn buy(parcel: u32, sold: Arc<AtomicUsize>) -> Result<u32> {
    sleep(parcel * SECOND).await;
    if parcel == 2 {
        bail!("parcel 2: 404 Not Found");
    }
    sold.fetch_add(1, Relaxed);
    sleep(SECOND).await;
    Ok(parcel)
}

/// Purchases that run. The carrier counts them in `sold`.
fn purchases(sold: &Arc<AtomicUsize>) -> JoinSet<Result<u32>> {
    JoinSet::from_iter([1, 2, 3].map(|parcel| buy(parcel, Arc::clone(sold))))
}

// ANCHOR: broken
async fn first_error(mut tasks: JoinSet<Result<u32>>) -> Result<Vec<u32>> {
    let mut labels = Vec::new();
    while let Some(end) = tasks.join_next().await {
        labels.push(end??); // an error drops `tasks` and `labels`
    }
    Ok(labels)
}
// ANCHOR_END: broken

// ANCHOR: fixed
async fn all(mut tasks: JoinSet<Result<u32>>) -> (Vec<u32>, Vec<Error>) {
    let (mut labels, mut errors) = (Vec::new(), Vec::new());
    while let Some(end) = tasks.join_next().await {
        match end.map_err(Error::from).flatten() {
            Ok(label) => labels.push(label),
            Err(error) => errors.push(error),
        }
    }
    (labels, errors)
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<()> {
    let sold = Arc::<AtomicUsize>::default();
    let error = first_error(purchases(&sold)).await.expect_err("parcel 2");
    sleep(9 * SECOND).await;
    let count = sold.load(Relaxed);
    println!("?: {error}. {count} label is sold, and lost");
    assert_eq!(count, 1);

    let sold = Arc::<AtomicUsize>::default();
    let (labels, errors) = all(purchases(&sold)).await;
    let count = sold.load(Relaxed);
    println!("all: {}. {count} labels are sold: {labels:?}", errors[0]);
    assert_eq!((labels, errors.len(), count), (vec![1, 3], 1, 2));
    Ok(())
}
// ANCHOR_END: all
