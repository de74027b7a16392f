// ANCHOR: all
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Barrier};

use tokio::runtime::{Builder, Handle, RuntimeMetrics};
use tokio::sync::oneshot;
use tokio::task::{self, block_in_place, spawn_blocking, yield_now};

tokio::task_local! {
    static SHIP: &'static str;
}

fn ship() -> Option<&'static str> {
    SHIP.try_with(|ship| *ship).ok()
}

/// Each ship passes two lights.
async fn enter(lights: Arc<AtomicU32>) -> u32 {
    lights.fetch_add(1, SeqCst);
    yield_now().await;
    1 + lights.fetch_add(1, SeqCst)
}

#[tokio::main(worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    // A future: nothing runs before the first poll, nor between two polls.
    let lights = Arc::new(AtomicU32::new(0));
    let mut entering = Box::pin(enter(lights.clone()));
    assert_eq!(lights.load(SeqCst), 0);
    assert!(futures::poll!(&mut entering).is_pending());
    yield_now().await;
    assert_eq!(lights.load(SeqCst), 1, "it stands between the lights");
    drop(entering);
    assert_eq!(enter(lights).await, 3, "one light, and then two");
    println!("future: runs when it is polled");

    // tokio::spawn: two tasks are in the lock at the same moment.
    let lock = Arc::new(Barrier::new(2));
    let tasks = [(); 2].map(|()| {
        let lock = lock.clone();
        // Who blocks a worker hands the worker's other tasks on.
        tokio::spawn(async move { block_in_place(|| lock.wait().is_leader()) })
    });
    let [one, two] = tasks;
    assert_ne!(one.await?, two.await?, "one of them came last");
    // Without its handle, a task runs on.
    let (radio, heard) = oneshot::channel();
    drop(tokio::spawn(async { radio.send("moored") }));
    assert_eq!(heard.await?, "moored");
    println!("spawn: in parallel, and detached by drop");

    // task::try_id: `main` is no task.
    assert_eq!(task::try_id(), None);
    let task = tokio::spawn(async { task::try_id() });
    let id = task.id();
    assert_eq!(task.await?, Some(id));
    println!("try_id: the task's, or none");

    // task_local!: not for the tasks that the task starts.
    let (here, there) = SHIP
        .scope("Vega", async { (ship(), tokio::spawn(async { ship() }).await) })
        .await;
    assert_eq!((here, there?), (Some("Vega"), None));
    // Unless it says so.
    let handed_on = tokio::spawn(SHIP.scope("Vega", async { ship() }));
    assert_eq!(handed_on.await?, Some("Vega"));
    println!("task_local!: not inherited");

    // runtime::Builder: a runtime is a value, and runs several things.
    let other = spawn_blocking(|| {
        let dock = Builder::new_current_thread().enable_all().build()?;
        let ships = dock.block_on(async { 3 });
        std::io::Result::Ok(ships + dock.block_on(async { 4 }))
    });
    assert_eq!(other.await??, 7);
    println!("Builder: another runtime, on another thread");

    // RuntimeMetrics: without a debug mode.
    let metrics: RuntimeMetrics = Handle::current().metrics();
    assert_eq!(metrics.num_workers(), 2);
    let waits = tokio::spawn(std::future::pending::<()>());
    assert!(metrics.num_alive_tasks() >= 1);
    waits.abort();
    assert!(waits.await.unwrap_err().is_cancelled());
    println!("RuntimeMetrics: {} workers", metrics.num_workers());
    Ok(())
}
// ANCHOR_END: all
