// ANCHOR: all
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use anyhow::{Result, bail, ensure};

/// The deliveries that the depot has on its list.
static DELIVERIES: AtomicU32 = AtomicU32::new(0);

async fn order(medicine: &str) -> Result<u32> {
    ensure!(medicine == "quinine", "{medicine} is not for sale");
    Ok(DELIVERIES.fetch_add(1, Relaxed) + 1)
}

async fn hang_up() -> Result<()> {
    bail!("the depot had hung up already")
}

// ANCHOR: broken
// Broken: the order is placed, and the caller hears of an error.
async fn one_result(medicine: &str) -> Result<u32> {
    let receipt = order(medicine).await?;
    hang_up().await?;
    Ok(receipt)
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: a receipt is a receipt, whatever went wrong after it.
struct Ordered {
    receipt: u32,
    hung_up: Result<()>,
}

async fn both_results(medicine: &str) -> Result<Ordered> {
    match (order(medicine).await, hang_up().await) {
        (Ok(receipt), hung_up) => Ok(Ordered { receipt, hung_up }),
        (Err(error), Ok(())) => Err(error),
        (Err(error), Err(after)) => Err(error.context(after)),
    }
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    // A caller who tries three times, as callers do.
    let mut attempts = 0;
    while attempts < 3 && one_result("quinine").await.is_err() {
        attempts += 1;
    }
    println!("one result: {DELIVERIES:?} deliveries");
    assert_eq!(DELIVERIES.swap(0, Relaxed), 3);

    let Ordered { receipt, hung_up } = both_results("quinine").await?;
    println!("both results: {DELIVERIES:?} delivery");
    assert_eq!((receipt, DELIVERIES.swap(0, Relaxed)), (1, 1));
    assert!(hung_up.is_err(), "for the log");

    let error = both_results("opium").await.err().expect("not for sale");
    println!("both errors: {error:#}");
    assert_eq!((error.chain().len(), DELIVERIES.load(Relaxed)), (2, 0));
    Ok(())
}
// ANCHOR_END: all
