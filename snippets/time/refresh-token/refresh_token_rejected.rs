// ANCHOR: all
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use anyhow::Result;
use futures::future::{join_all, try_join_all};
use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, sleep, timeout, timeout_at};

const SECOND: Duration = Duration::from_secs(1);

#[derive(Clone, Copy)]
struct Pass {
    number: u32,
    renew: Instant,
}

async fn stamp() -> Pass {
    static STAMPED: AtomicU32 = AtomicU32::new(0);
    let renew = Instant::now() + 3300 * SECOND;
    sleep(10 * SECOND).await;
    Pass { number: STAMPED.fetch_add(1, Relaxed) + 1, renew }
}

// ANCHOR: broken
/// Broken: whoever is turned away has a new one stamped.
async fn another(pass: &Mutex<Pass>) -> u32 {
    let mut pass = pass.lock().await;
    *pass = stamp().await;
    pass.number
}
// ANCHOR_END: broken

// ANCHOR: fixed
/// Fixed: he says which one he had, and waits for a later one.
struct Passes {
    pass: watch::Receiver<Pass>,
    rejected: watch::Sender<u32>,
}

impl Passes {
    async fn instead_of(&self, used: u32) -> Result<u32> {
        self.rejected.send_if_modified(|rejected| {
            let newer = used > *rejected;
            *rejected = used.max(*rejected);
            newer
        });
        let mut pass = self.pass.clone();
        let later = pass.wait_for(|pass| pass.number > used).await?.number;
        Ok(later)
    }
}

async fn clerk(desk: watch::Sender<Pass>, mut rejected: watch::Receiver<u32>) {
    loop {
        let Pass { number, renew } = *desk.borrow();
        let heard = rejected.wait_for(|old| *old >= number);
        let heard = timeout_at(renew, heard).await.map(|old| old.is_ok());
        if heard == Ok(false) {
            return; // nobody is left who could ask
        }
        desk.send_replace(stamp().await);
    }
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<()> {
    let desk = Mutex::new(stamp().await);
    let start = Instant::now();
    let numbers = join_all((0..20).map(|_| another(&desk))).await;
    println!("another: up to pass {}, {:?}", numbers[19], start.elapsed());
    assert_eq!((numbers[19], start.elapsed()), (21, 200 * SECOND));

    let (desk, pass) = watch::channel(stamp().await);
    let (rejected, heard) = watch::channel(0);
    let clerk = tokio::spawn(clerk(desk, heard));
    let (passes, start) = (Passes { pass, rejected }, Instant::now());
    // The first one gives up after a second.
    let first = timeout(SECOND, passes.instead_of(22));
    let others = try_join_all((0..19).map(|_| passes.instead_of(22)));
    let (first, others) = tokio::join!(first, others);
    let others = others?;
    println!("instead of 22: pass {}, {:?}", others[0], start.elapsed());
    assert!(first.is_err());
    assert_eq!((others, start.elapsed()), (vec![23; 19], 10 * SECOND));

    // One has been on the road with pass 22 all the time.
    assert_eq!(passes.instead_of(22).await?, 23);
    assert_eq!(start.elapsed(), 10 * SECOND, "there already");
    // Nor does he make the clerk forget who was turned away with pass 23.
    let (next, late) =
        tokio::join!(passes.instead_of(23), passes.instead_of(22));
    assert_eq!((next?, late?), (24, 23));
    assert_eq!(start.elapsed(), 20 * SECOND);
    // And pass 24 is renewed in its time.
    sleep(3310 * SECOND).await;
    assert_eq!(passes.pass.borrow().number, 25);
    drop(passes);
    Ok(clerk.await?)
}
// ANCHOR_END: all
