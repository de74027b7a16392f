// ANCHOR: all
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use futures::future::{BoxFuture, FutureExt, Shared, TryFutureExt};

type Flight = Shared<BoxFuture<'static, Result<f64, Arc<anyhow::Error>>>>;
type Flights = Arc<Mutex<HashMap<&'static str, Flight>>>;

async fn ask() -> anyhow::Result<f64> {
    panic!("a comma in the rate")
}

async fn known(flights: Flights) -> Option<Result<f64, String>> {
    let flights = flights.lock().expect("never poisoned");
    let answer = flights.get("EUR")?.peek()?.clone();
    Some(answer.map_err(|error| error.to_string()))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: broken
    // Broken: the waiters poll the question, so the panic is theirs.
    let flight = ask().map_err(Arc::new).boxed().shared();
    let flights = Flights::default();
    flights.lock().expect("new").insert("EUR", flight.clone());
    assert!(tokio::spawn(flight).await.unwrap_err().is_panic());
    // And a look at it panics too, here with the lock held.
    assert!(tokio::spawn(known(flights.clone())).await.is_err());
    assert!(flights.is_poisoned());
    println!("no task: the lock is poisoned, all rates are out of reach");
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: the question is a task, and its panic an error like others.
    let task = tokio::spawn(ask());
    let flight = async { task.await? }.map_err(Arc::new).boxed().shared();
    let flights = Flights::default();
    flights.lock().expect("new").insert("EUR", flight.clone());
    assert!(tokio::spawn(flight).await?.is_err());
    let error = known(flights).await.expect("answered").unwrap_err();
    assert!(error.contains("panicked with message \"a comma in the rate\""));
    println!("a task: each waiter has an error");
    // ANCHOR_END: fixed
    Ok(())
}
// ANCHOR_END: all
