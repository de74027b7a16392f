// ANCHOR: all
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::OnceCell;
use tokio::time::{sleep, timeout};

const MINUTE: Duration = Duration::from_secs(60);

#[derive(Default)]
struct Sauna {
    logs: AtomicU32,
    stove: OnceCell<u32>,
}

impl Sauna {
    /// Six logs, one after the other.
    async fn heat(&self) -> u32 {
        for _ in 0..6 {
            self.logs.fetch_add(1, Relaxed);
            sleep(10 * MINUTE).await;
        }
        80
    }

    // ANCHOR: broken
    /// Broken: the fire is the guest's, and goes out when he leaves.
    async fn by_the_guest(self: &Arc<Self>) -> u32 {
        *self.stove.get_or_init(|| self.heat()).await
    }
    // ANCHOR_END: broken

    // ANCHOR: fixed
    /// Fixed: the fire is a task's, and the guest waits for it.
    async fn by_the_house(self: &Arc<Self>) -> u32 {
        if let Some(degrees) = self.stove.get() {
            return *degrees;
        }
        let sauna = Arc::clone(self);
        let heating = tokio::spawn(async move {
            *sauna.stove.get_or_init(|| sauna.heat()).await
        });
        heating.await.expect("no panic, and nobody aborts it")
    }
    // ANCHOR_END: fixed
}

/// Comes in this minute, and has 45 for it.
async fn guest(minute: u32, enter: impl Future<Output = u32>) -> bool {
    sleep(minute * MINUTE).await;
    timeout(45 * MINUTE, enter).await.is_ok()
}

const GUESTS: [u32; 5] = [0, 25, 50, 75, 100];

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let sauna = Arc::new(Sauna::default());
    // ANCHOR: guest
    let guests = GUESTS.map(|minute| guest(minute, sauna.by_the_guest()));
    let sat = join_all(guests).await;
    // ANCHOR_END: guest
    let (sat, logs) = (count(&sat), sauna.logs.load(Relaxed));
    println!("by the guest: {sat} of 5 sit in there, {logs} logs");
    assert_eq!((sat, logs), (0, 17));

    let sauna = Arc::new(Sauna::default());
    // ANCHOR: house
    let guests = GUESTS.map(|minute| guest(minute, sauna.by_the_house()));
    let sat = join_all(guests).await;
    // ANCHOR_END: house
    let (sat, logs) = (count(&sat), sauna.logs.load(Relaxed));
    println!("by the house: {sat} of 5 sit in there, {logs} logs");
    assert_eq!((sat, logs), (4, 6));
    assert_eq!(Arc::strong_count(&sauna), 1, "every task has ended");

    // Whoever gives up leaves his task behind, until it is hot.
    let sauna = Arc::new(Sauna::default());
    let guests = [0; 100].map(|minute| guest(minute, sauna.by_the_house()));
    let sat = count(&join_all(guests).await);
    let tasks = Arc::strong_count(&sauna) - 1;
    println!("too early: {sat} of 100 sit in there, {tasks} tasks wait");
    assert_eq!((sat, tasks), (0, 100));
    sleep(16 * MINUTE).await;
    assert_eq!(Arc::strong_count(&sauna), 1, "every task has ended");
}

fn count(sat: &[bool]) -> usize {
    sat.iter().filter(|sat| **sat).count()
}
// ANCHOR_END: all
