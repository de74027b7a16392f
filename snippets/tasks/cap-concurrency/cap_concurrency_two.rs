// ANCHOR: all
use std::time::Duration;

use anyhow::Result;
use futures::future::{join, join_all};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

/// Requests to all carriers, and those to one carrier.
struct Limits {
    all: Semaphore,
    one: Semaphore,
}

impl Limits {
    fn new() -> Self {
        Limits { all: Semaphore::new(3), one: Semaphore::new(1) }
    }

    async fn broken(&self) -> Result<()> {
        // ANCHOR: broken
        let _all = self.all.acquire().await?;
        let _one = self.one.acquire().await?;
        // ANCHOR_END: broken
        sleep(SECOND).await;
        Ok(())
    }

    async fn fixed(&self) -> Result<()> {
        // ANCHOR: fixed
        let _one = self.one.acquire().await?;
        let _all = self.all.acquire().await?;
        // ANCHOR_END: fixed
        sleep(SECOND).await;
        Ok(())
    }

    /// A request to another carrier. How long does it take?
    async fn other(&self) -> Result<u64> {
        let start = Instant::now();
        let _all = self.all.acquire().await?;
        sleep(SECOND).await;
        Ok(start.elapsed().as_secs())
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<()> {
    let limits = Limits::new();
    let requests = join_all((0..6).map(|_| limits.broken()));
    let (_, seconds) = join(requests, limits.other()).await;
    let seconds = seconds?;
    println!("all first: another carrier's request takes {seconds} s");
    assert_eq!(seconds, 5);

    let limits = Limits::new();
    let requests = join_all((0..6).map(|_| limits.fixed()));
    let (_, seconds) = join(requests, limits.other()).await;
    let seconds = seconds?;
    println!("one first: {seconds} s");
    assert_eq!(seconds, 1);

    let _all = limits.all.acquire_many(3).await?;
    let waits = timeout(60 * SECOND, limits.fixed()).await;
    assert!(waits.is_err(), "there is no permit for it");
    Ok(())
}
// ANCHOR_END: all
