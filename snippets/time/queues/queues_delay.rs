// ANCHOR: all
use std::collections::HashMap;
use std::time::Duration;

use futures::StreamExt;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};
use tokio_util::time::DelayQueue;

const MINUTE: Duration = Duration::from_secs(60);

type Patient = &'static str;

enum Order {
    Look(Patient, Duration),
    GoneHome(Patient),
}

type Minutes = Vec<(u64, Patient)>;

/// Who was looked at, and who was still to be, when the orders end.
async fn rounds(mut orders: mpsc::Receiver<Order>) -> (Minutes, Minutes) {
    let start = Instant::now();
    let minute = |now: Instant| (now - start).as_secs() / 60;
    let (mut due, mut keys) = (DelayQueue::new(), HashMap::new());
    let (mut looked_at, mut left) = (vec![], vec![]);
    // ANCHOR: loop
    loop {
        tokio::select! {
            Some(expired) = due.next() => {
                let patient = expired.into_inner();
                keys.remove(patient);
                looked_at.push((minute(Instant::now()), patient));
            }
            order = orders.recv() => match order {
                Some(Order::Look(patient, after)) => {
                    // A new one, or an old one at another time.
                    let insert = || due.insert(patient, after);
                    let key = *keys.entry(patient).or_insert_with(insert);
                    due.reset(&key, after);
                }
                Some(Order::GoneHome(patient)) => {
                    _ = keys.remove(patient).map(|key| due.remove(&key));
                }
                None => break,
            },
        }
    }
    // ANCHOR_END: loop
    // ANCHOR: left
    while let Some(key) = due.peek() {
        let expired = due.remove(&key);
        left.push((minute(expired.deadline()), expired.into_inner()));
    }
    // ANCHOR_END: left
    (looked_at, left)
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let (orders, received) = mpsc::channel(8);
    let rounds = tokio::spawn(rounds(received));
    // ANCHOR: orders
    orders.send(Order::Look("cat", 60 * MINUTE)).await?;
    orders.send(Order::Look("dog", 90 * MINUTE)).await?;
    orders.send(Order::Look("parrot", 30 * MINUTE)).await?;
    sleep(10 * MINUTE).await;
    // Earlier than all of them, later, and not at all.
    orders.send(Order::Look("snake", 5 * MINUTE)).await?;
    orders.send(Order::Look("parrot", 60 * MINUTE)).await?;
    orders.send(Order::GoneHome("cat")).await?;
    sleep(75 * MINUTE).await;
    orders.send(Order::Look("hen", 120 * MINUTE)).await?;
    drop(orders);
    // ANCHOR_END: orders
    let (looked_at, left) = rounds.await?;
    println!("looked at: {looked_at:?}");
    println!("left for the night: {left:?}");
    assert_eq!(looked_at, [(15, "snake"), (70, "parrot")]);
    assert_eq!(left, [(90, "dog"), (205, "hen")]);
    Ok(())
}
// ANCHOR_END: all
