// ANCHOR: all
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt, Shared, join_all};
use tokio::time::{Instant, sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

static STAMPED: AtomicU32 = AtomicU32::new(0);

#[derive(Clone)]
struct Pass {
    number: u32,
    over: Instant,
}

async fn stamp() -> Pass {
    let over = Instant::now() + 60 * MINUTE;
    sleep(10 * SECOND).await;
    Pass { number: STAMPED.fetch_add(1, Relaxed) + 1, over }
}

// ANCHOR: broken
/// Broken: all wait for the office, whether the old one is good or not.
async fn locked(desk: &tokio::sync::Mutex<Pass>) -> u32 {
    let mut pass = desk.lock().await;
    if pass.over < Instant::now() + 5 * MINUTE {
        *pass = stamp().await;
    }
    pass.number
}
// ANCHOR_END: broken

// ANCHOR: fixed
/// Fixed: locked for a look. The office is asked by a task.
struct Desk {
    pass: Pass,
    next: Option<Shared<BoxFuture<'static, Pass>>>,
}

async fn on_demand(desk: &Arc<Mutex<Desk>>) -> u32 {
    let next = {
        let mut desk_now = desk.lock().expect("never poisoned");
        let left = desk_now.pass.over.duration_since(Instant::now());
        if left < 5 * MINUTE && desk_now.next.is_none() {
            let fetching = tokio::spawn(fetch(Arc::clone(desk)));
            let next = async { fetching.await.expect("no panic") };
            desk_now.next = Some(next.boxed().shared());
        }
        if left > 30 * SECOND {
            return desk_now.pass.number;
        }
        desk_now.next.clone().expect("begun above")
    };
    next.await.number
}

async fn fetch(desk: Arc<Mutex<Desk>>) -> Pass {
    let pass = stamp().await;
    let mut desk = desk.lock().expect("never poisoned");
    *desk = Desk { pass: pass.clone(), next: None };
    pass
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let desk = tokio::sync::Mutex::new(stamp().await);
    sleep(55 * MINUTE).await;
    let start = Instant::now();
    // ANCHOR: lock
    let vans = (0..3).map(|_| locked(&desk));
    let passes = join_all(vans).await;
    // ANCHOR_END: lock
    println!("locked: passes {passes:?}, waited {:?}", start.elapsed());
    assert_eq!((passes, start.elapsed()), (vec![2; 3], 10 * SECOND));

    STAMPED.store(0, Relaxed);
    let desk = Desk { pass: stamp().await, next: None };
    let desk = Arc::new(Mutex::new(desk));
    sleep(55 * MINUTE).await;
    let start = Instant::now();
    // ANCHOR: demand
    let vans = (0..3).map(|_| on_demand(&desk));
    let passes = join_all(vans).await;
    println!("on demand: passes {passes:?}, waited {:?}", start.elapsed());
    assert_eq!((passes, start.elapsed()), (vec![1; 3], Duration::ZERO));
    sleep(11 * SECOND).await;
    assert_eq!(on_demand(&desk).await, 2);
    // ANCHOR_END: demand

    // After a quiet night they have to wait. Who gives up stops nobody.
    sleep(600 * MINUTE).await;
    assert_eq!(STAMPED.load(Relaxed), 2, "for nobody, nothing");
    let start = Instant::now();
    let (first, second) =
        tokio::join!(timeout(SECOND, on_demand(&desk)), on_demand(&desk));
    println!("in the morning: pass {second}, waited {:?}", start.elapsed());
    assert!(first.is_err());
    assert_eq!((second, start.elapsed()), (3, 10 * SECOND));
}
// ANCHOR_END: all
