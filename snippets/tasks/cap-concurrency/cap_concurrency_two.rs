// ANCHOR: all
use std::time::Duration;

use futures::future::{join, join_all};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};

const MINUTE: Duration = Duration::from_secs(60);

/// Three bays, and a fleet with one driver.
struct Wash {
    bays: Semaphore,
    driver: Semaphore,
}

impl Wash {
    fn new() -> Self {
        Self { bays: Semaphore::new(3), driver: Semaphore::new(1) }
    }

    // ANCHOR: broken
    /// Broken: waits for the driver, and holds a bay.
    async fn bay_first(&self) {
        let _bay = self.bays.acquire().await.expect("open");
        let _driver = self.driver.acquire().await.expect("open");
        sleep(10 * MINUTE).await;
    }
    // ANCHOR_END: broken

    // ANCHOR: fixed
    /// Fixed: first the permit that is harder to get.
    async fn driver_first(&self) {
        let _driver = self.driver.acquire().await.expect("open");
        let _bay = self.bays.acquire().await.expect("open");
        sleep(10 * MINUTE).await;
    }
    // ANCHOR_END: fixed

    /// Somebody else's car: how long until it is clean?
    async fn stranger(&self) -> Duration {
        let start = Instant::now();
        let _bay = self.bays.acquire().await.expect("open");
        sleep(10 * MINUTE).await;
        start.elapsed()
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let hall = Wash::new();
    let fleet = join_all((0..6).map(|_| hall.bay_first()));
    let (_, broken) = join(fleet, hall.stranger()).await;
    println!("bay first: a stranger takes {} min", broken.as_secs() / 60);

    let hall = Wash::new();
    let fleet = join_all((0..6).map(|_| hall.driver_first()));
    let (_, fixed) = join(fleet, hall.stranger()).await;
    println!("driver first: {} min", fixed.as_secs() / 60);
    assert_eq!(fixed, 10 * MINUTE);
    assert!(broken > 4 * fixed);
}
// ANCHOR_END: all
