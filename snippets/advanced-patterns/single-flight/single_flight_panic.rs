// ANCHOR: all
use std::sync::{Arc, Mutex};

use futures::future::{BoxFuture, FutureExt, Shared, TryFutureExt};

type Flight = Shared<BoxFuture<'static, Result<u32, Arc<anyhow::Error>>>>;

async fn quote() -> anyhow::Result<u32> {
    panic!("a comma in the price")
}

/// Whether the value is known, by a look into the locked map.
async fn is_known(flights: Arc<Mutex<Vec<Flight>>>) -> bool {
    let flights = flights.lock().expect("not poisoned");
    flights.iter().all(|flight| flight.peek().is_some())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: broken
    let flight = quote().map_err(Arc::new).boxed().shared();
    // ANCHOR_END: broken
    let flights = Arc::new(Mutex::new(vec![flight.clone()]));
    assert!(tokio::spawn(flight).await.is_err_and(|end| end.is_panic()));
    // A look at it panics, too, here with the lock held.
    assert!(tokio::spawn(is_known(flights.clone())).await.is_err());
    assert!(flights.is_poisoned());
    println!("no task: the caller panics, and the map is poisoned");

    // ANCHOR: fixed
    let task = tokio::spawn(quote());
    let flight = async { task.await? }.map_err(Arc::new).boxed().shared();
    // ANCHOR_END: fixed
    let flights = Arc::new(Mutex::new(vec![flight.clone()]));
    let error = tokio::spawn(flight).await?.expect_err("a panic");
    assert!(error.to_string().contains("\"a comma in the price\""));
    assert!(tokio::spawn(is_known(flights)).await?);
    println!("a task: each caller has an error");
    Ok(())
}
// ANCHOR_END: all
