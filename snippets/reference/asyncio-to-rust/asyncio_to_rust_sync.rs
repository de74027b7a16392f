// ANCHOR: all
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use tokio::sync::{
    Barrier, Mutex, Notify, OnceCell, Semaphore, SetOnce, watch,
};
use tokio::task::yield_now;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    // std's Mutex: locked and released between two awaits.
    let ships = Arc::new(std::sync::Mutex::new(0));
    let count = ships.clone();
    tokio::spawn(async move {
        *count.lock().expect("never poisoned") += 1;
        yield_now().await;
    })
    .await?;
    assert_eq!(*ships.lock().expect("never poisoned"), 1);
    // tokio's: held while you wait. It is released by its guard alone.
    let crane = Mutex::new("free");
    let mut guard = crane.lock().await;
    yield_now().await;
    assert!(crane.try_lock().is_err());
    *guard = "in use";
    drop(guard);
    assert_eq!(*crane.lock().await, "in use");
    println!("Mutex: the data is inside");

    // watch<bool>: an Event that can be cleared, and is there for latecomers.
    let (gate, _) = watch::channel(false);
    assert!(gate.subscribe().wait_for(|open| *open).now_or_never().is_none());
    gate.send_replace(true);
    assert!(*gate.subscribe().wait_for(|open| *open).await?);
    // SetOnce, CancellationToken: set for good.
    let won = SetOnce::new();
    won.set("Vega")?;
    assert!(won.set("Lyra").is_err());
    assert_eq!((won.wait().await, won.wait().await), (&"Vega", &"Vega"));
    let storm = CancellationToken::new();
    storm.cancel();
    storm.cancelled().await;
    // Notify is not an Event: notify_waiters keeps nothing for later, and
    // notify_one keeps one permit.
    let bell = Notify::new();
    bell.notify_waiters();
    assert!(bell.notified().now_or_never().is_none(), "no permit");
    bell.notify_one();
    bell.notify_one();
    assert!(bell.notified().now_or_never().is_some());
    assert!(bell.notified().now_or_never().is_none(), "one permit, not two");
    println!("watch, SetOnce, token: kept. Notify: one permit, or none");

    // wait_for: a Condition without its lock.
    let (level, mut gauge) = watch::channel(2);
    let ship = tokio::spawn(async move {
        gauge.wait_for(|metres| *metres >= 5).await.map(|metres| *metres)
    });
    yield_now().await;
    level.send_modify(|metres| *metres += 1);
    yield_now().await;
    assert!(!ship.is_finished(), "three metres are not enough");
    level.send_modify(|metres| *metres += 3);
    assert_eq!(ship.await??, 6);
    println!("wait_for: until it is true");

    // Semaphore: a permit is a guard, and can move into a task.
    let berths = Arc::new(Semaphore::new(1));
    let berth = berths.clone().acquire_owned().await?;
    assert!(berths.try_acquire().is_err());
    tokio::spawn(async move { drop(berth) }).await?;
    assert_eq!(berths.available_permits(), 1);
    println!("Semaphore: released by drop");

    // Barrier: one who has given up is still counted.
    let convoy = Barrier::new(2);
    assert!(timeout(HOUR, convoy.wait()).await.is_err());
    assert!(convoy.wait().now_or_never().is_some(), "it sails alone");
    println!("Barrier: waiting is not cancel-safe");

    // OnceCell: the first one opens it. A failure is not kept.
    let chart = OnceCell::new();
    let lost = chart.get_or_try_init(|| async { Err::<u32, _>("fog") });
    assert_eq!(lost.await, Err("fog"));
    assert_eq!(chart.get_or_init(|| async { 7 }).await, &7);
    assert_eq!(chart.get_or_init(|| async { 8 }).await, &7);
    println!("OnceCell: made once, when it is needed");
    Ok(())
}
// ANCHOR_END: all
