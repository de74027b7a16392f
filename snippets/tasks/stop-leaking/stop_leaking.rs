// ANCHOR: all
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;

const MINUTE: Duration = Duration::from_secs(60);

type Litres = Arc<AtomicU32>;

// ANCHOR: water
async fn water(litres: Litres) {
    loop {
        sleep(10 * MINUTE).await;
        litres.fetch_add(1, Relaxed);
    }
}
// ANCHOR_END: water

// ANCHOR: inspect
async fn inspect() -> Result<(), &'static str> {
    sleep(25 * MINUTE).await;
    Err("greenfly")
}
// ANCHOR_END: inspect

async fn careless(litres: Litres) -> Result<(), &'static str> {
    let watering = tokio::spawn(water(litres));
    inspect().await?; // leaves, and drops the handle
    watering.abort();
    Ok(())
}

// ANCHOR: tend
async fn tend(litres: Litres) -> Result<(), &'static str> {
    let _watering = AbortOnDropHandle::new(tokio::spawn(water(litres)));
    inspect().await
}
// ANCHOR_END: tend

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let tasks = || Handle::current().metrics().num_alive_tasks();

    // ANCHOR: broken
    // A JoinHandle lets go of it.
    let litres = Litres::default();
    assert_eq!(careless(litres.clone()).await, Err("greenfly"));
    sleep(30 * MINUTE).await;
    println!("JoinHandle: {litres:?} l, {} task alive", tasks());
    assert_eq!((litres.load(Relaxed), tasks()), (5, 1));
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // An AbortOnDropHandle takes it along. Alive is the other one, still.
    let litres = Litres::default();
    assert_eq!(tend(litres.clone()).await, Err("greenfly"));
    sleep(30 * MINUTE).await;
    println!("AbortOnDropHandle: {litres:?} l, {} task alive", tasks());
    // ANCHOR: dry
    assert_eq!((litres.load(Relaxed), tasks()), (2, 1));
    // ANCHOR_END: dry
    // ANCHOR_END: fixed
}
// ANCHOR_END: all
