// ANCHOR: all
use std::sync::Mutex;
use std::time::Duration;

use futures::FutureExt;
use tokio::sync::Notify;
use tokio::task::yield_now;
use tokio::time::timeout;

const DAY: Duration = Duration::from_secs(86_400);

#[derive(Default)]
struct Jobs {
    jobs: Mutex<Vec<u32>>,
    added: Notify,
}

impl Jobs {
    fn add(&self, job: u32) {
        self.jobs.lock().expect("no panic within").push(job);
        self.added.notify_one();
    }

    fn pop(&self) -> Option<u32> {
        self.jobs.lock().expect("no panic within").pop()
    }

    async fn broken(&self) -> u32 {
        // ANCHOR: broken
        loop {
            let added = self.added.notified();
            if let Some(job) = self.pop() {
                return job;
            }
            log().await;
            added.await;
        }
        // ANCHOR_END: broken
    }
}

/// Lets another task run. On several threads it runs there without this.
async fn log() {
    yield_now().await;
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let jobs = Jobs::default();
    let add = async {
        jobs.add(1);
        jobs.add(2);
    };
    let all = async { tokio::join!(jobs.broken(), jobs.broken(), add) };
    let end = timeout(DAY, all).await;
    let left = jobs.pop();
    println!("two workers, two jobs, one permit: left: {left:?}");
    assert!(end.is_err() && left.is_some());

    // What is kept.
    let added = Notify::new();
    added.notify_one();
    added.notify_one();
    let wakes = [(); 2].map(|()| added.notified().now_or_never().is_some());
    println!("notify_one, twice: kept for {wakes:?}");
    assert_eq!(wakes, [true, false]);
    added.notify_waiters();
    let wakes = added.notified().now_or_never().is_some();
    println!("notify_waiters: kept: {wakes}");
    assert!(!wakes);
}
// ANCHOR_END: all
