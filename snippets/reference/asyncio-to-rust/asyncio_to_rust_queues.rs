// ANCHOR: all
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Mutex;
use std::time::Duration;

use futures::StreamExt;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::time::DelayQueue;

const HOUR: Duration = Duration::from_secs(3600);

/// A queue that serves the greatest first.
struct PriorityQueue<T> {
    heap: Mutex<BinaryHeap<T>>,
    items: Semaphore,
}

impl<T: Ord> PriorityQueue<T> {
    fn new() -> Self {
        Self { heap: Mutex::default(), items: Semaphore::new(0) }
    }

    fn put(&self, item: T) {
        self.heap.lock().expect("never poisoned").push(item);
        self.items.add_permits(1);
    }

    async fn get(&self) -> T {
        self.items.acquire().await.expect("never closed").forget();
        let first = self.heap.lock().expect("never poisoned").pop();
        first.expect("a permit for each")
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    // mpsc::channel: you choose the bound.
    let (crates, mut hold) = mpsc::channel(2);
    crates.send("tea").await?;
    crates.send("rope").await?;
    assert!(crates.try_send("silk").is_err(), "full: `send` would wait");
    assert_eq!(hold.recv().await, Some("tea"));
    println!("mpsc: bounded");

    // Drop the senders, and join the worker: nobody calls task_done.
    let stowing = tokio::spawn(async move {
        let mut stowed = Vec::new();
        while let Some(what) = hold.recv().await {
            stowed.push(what);
        }
        stowed
    });
    crates.send("silk").await?;
    drop(crates);
    assert_eq!(stowing.await?, ["rope", "silk"]);
    println!("drop and join: nothing is left");

    // close: the senders are refused, what is there is still handed out.
    let (crates, mut hold) = mpsc::channel(2);
    crates.send("tea").await?;
    hold.close();
    let refused = crates.send("silk").await.unwrap_err();
    assert_eq!(refused.0, "silk", "and it comes back");
    assert_eq!(hold.recv().await, Some("tea"));
    assert_eq!(hold.recv().await, None);
    println!("close and drain: refused, or received");

    // oneshot: whoever is left behind is told.
    let (_, answered) = oneshot::channel::<&str>();
    assert!(answered.await.is_err(), "no answer will come");
    let (answer, _) = oneshot::channel();
    assert_eq!(answer.send("tea"), Err("tea"), "and it comes back");
    println!("oneshot: an end that goes is an error");

    // BinaryHeap: the greatest first, `Reverse` for the least.
    let ships = PriorityQueue::new();
    let calm = PriorityQueue::new();
    for metres in [90, 240, 120] {
        ships.put(metres);
        calm.put(Reverse(metres));
    }
    assert_eq!([ships.get().await, ships.get().await], [240, 120]);
    assert_eq!(calm.get().await, Reverse(90));
    assert_eq!(ships.get().await, 90);
    // Who waits is woken.
    let (ship, ()) = tokio::join!(ships.get(), async { ships.put(150) });
    assert_eq!(ship, 150);
    println!("BinaryHeap and Semaphore: by size");

    // DelayQueue: by time.
    let start = Instant::now();
    let mut tides = DelayQueue::new();
    tides.insert("high", 6 * HOUR);
    tides.insert("low", HOUR);
    let first = tides.next().await.expect("two").into_inner();
    assert_eq!((first, start.elapsed()), ("low", HOUR));
    println!("DelayQueue: by time");
    Ok(())
}
// ANCHOR_END: all
