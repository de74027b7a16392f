// ANCHOR: all
use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};
use tokio::time::timeout;

const DAY: Duration = Duration::from_secs(86_400);

struct Queue {
    jobs: Mutex<VecDeque<u32>>,
    notify: Notify,
    waiting: Semaphore,
}

impl Queue {
    fn send(&self, job: u32) {
        self.jobs.lock().expect("no panic").push_back(job);
        self.notify.notify_one();
        self.waiting.add_permits(1);
    }

    fn pop(&self) -> Option<u32> {
        self.jobs.lock().expect("no panic").pop_front()
    }

    // ANCHOR: broken
    async fn notified(&self) -> Option<u32> {
        self.notify.notified().await;
        self.pop()
    }
    // ANCHOR_END: broken

    // ANCHOR: fixed
    async fn counted(&self) -> Option<u32> {
        self.waiting.acquire().await.ok()?.forget();
        self.pop()
    }
    // ANCHOR_END: fixed
}

/// Two jobs, and then two workers that receive. What is left after a day?
async fn left(recv: impl AsyncFn(&Queue) -> Option<u32>) -> Vec<u32> {
    let (jobs, notify) = (Mutex::default(), Notify::new());
    let queue = Queue { jobs, notify, waiting: Semaphore::new(0) };
    queue.send(1);
    queue.send(2);
    let worker = || timeout(DAY, recv(&queue));
    _ = tokio::join!(worker(), worker());
    queue.jobs.into_inner().expect("no panic").into()
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let broken = left(Queue::notified).await;
    println!("Notify: after a day {broken:?} is left");
    assert_eq!(broken, [2]);

    let fixed = left(Queue::counted).await;
    println!("Semaphore: after a day {fixed:?} is left");
    assert!(fixed.is_empty());

    // Workers that come first wait for a job, and one too many waits forever.
    let (jobs, notify) = (Mutex::default(), Notify::new());
    let queue = Queue { jobs, notify, waiting: Semaphore::new(0) };
    let worker = || timeout(DAY, queue.counted());
    let send = async { queue.send(1) };
    let (first, second, ()) = tokio::join!(worker(), worker(), send);
    assert_eq!(first, Ok(Some(1)));
    assert!(second.is_err());
}
// ANCHOR_END: all
