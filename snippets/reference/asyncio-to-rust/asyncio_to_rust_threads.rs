// ANCHOR: all
use std::sync::{Arc, Barrier, mpsc};

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

tokio::task_local! {
    static SHIP: &'static str;
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // spawn_blocking: once it runs, nothing stops it.
    let (begun, has_begun) = oneshot::channel();
    let (tide, wait_for_tide) = mpsc::channel();
    let dredger = spawn_blocking(move || {
        begun.send(()).expect("`main` waits");
        wait_for_tide.recv()
    });
    has_begun.await?;
    dredger.abort();
    tide.send("dredged")?; // it is there, and listens
    assert_eq!(dredger.await??, "dredged");
    println!("spawn_blocking: abort comes too late");

    // The thread knows nothing of the task's variables.
    let ship = || SHIP.try_with(|ship| *ship).ok();
    let (here, there) = SHIP
        .scope("Vega", async { (ship(), spawn_blocking(ship).await) })
        .await;
    assert_eq!((here, there?), (Some("Vega"), None));
    println!("spawn_blocking: without task_local!");

    // Handle::spawn, Handle::block_on: from a thread into the runtime.
    let harbour = Handle::current();
    let pilot = spawn_blocking(move || {
        let boat = harbour.spawn(async { "on board" });
        harbour.block_on(boat)
    });
    assert_eq!(pilot.await??, "on board");
    println!("Handle: a future for a thread");

    // rayon: two threads of one process compute at the same moment.
    let shipyard = rayon::ThreadPoolBuilder::new().num_threads(2).build()?;
    let meet = Arc::new(Barrier::new(2));
    let welders = [(); 2].map(|()| {
        let (weld, welded) = oneshot::channel();
        let meet = meet.clone();
        shipyard.spawn(move || {
            let last = meet.wait().is_leader(); // opens for two at once
            weld.send(last).expect("`main` waits");
        });
        welded
    });
    let [one, two] = welders;
    assert_ne!(one.await?, two.await?);
    println!("rayon: two at once, and nothing is pickled");
    Ok(())
}
// ANCHOR_END: all
