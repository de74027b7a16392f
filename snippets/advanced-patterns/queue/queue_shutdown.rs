// ANCHOR: all
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

// ANCHOR: next
async fn next_order(
    hatch: &Mutex<mpsc::Receiver<u32>>,
    closing: &CancellationToken,
) -> Option<u32> {
    let mut hatch = hatch.lock().await;
    if let Some(order) = closing.run_until_cancelled(hatch.recv()).await {
        return order;
    }
    hatch.close(); // nothing more comes in
    hatch.recv().await // what is in goes out, and then None
}
// ANCHOR_END: next

fn open_kitchen(
    closing: &CancellationToken,
) -> (mpsc::Sender<u32>, JoinSet<Vec<u32>>) {
    let (orders, hatch) = mpsc::channel(8);
    let hatch = Arc::new(Mutex::new(hatch));
    let mut kitchen = JoinSet::new();
    for _ in 0..3 {
        let (hatch, closing) = (hatch.clone(), closing.clone());
        kitchen.spawn(async move {
            let mut served = Vec::new();
            while let Some(table) = next_order(&hatch, &closing).await {
                sleep(Duration::from_secs(10)).await;
                served.push(table);
            }
            served
        });
    }
    (orders, kitchen)
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let closing = CancellationToken::new();
    let (orders, kitchen) = open_kitchen(&closing);
    let (idle_orders, idle_kitchen) = open_kitchen(&closing);
    let mut waiters = JoinSet::new();
    for waiter in 0..2 {
        let orders = orders.clone();
        waiters.spawn(async move {
            for table in (waiter..).step_by(2) {
                if let Err(refused) = orders.send(table).await {
                    return refused.0; // the order comes back
                }
            }
            unreachable!("there is always one more order")
        });
    }

    sleep(Duration::from_secs(95)).await;
    closing.cancel();

    let mut served = kitchen.join_all().await.concat();
    let mut refused = waiters.join_all().await;
    println!("{} served, {} refused", served.len(), refused.len());
    let offered = refused.iter().max().expect("two waiters") + 1;
    served.append(&mut refused);
    served.sort();
    assert!(served.into_iter().eq(0..offered), "each exactly once");

    // Cooks who are waiting for an order go home too.
    assert!(idle_kitchen.join_all().await.concat().is_empty());
    assert!(idle_orders.send(1).await.is_err());
}
// ANCHOR_END: all
