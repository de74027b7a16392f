// ANCHOR: all
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Mutex;
use std::time::Duration;

use futures::FutureExt;
use futures::future::join_all;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// A part of the journey, and the seconds it takes to book.
type Part = (&'static str, u64);

const JOURNEY: [Part; 3] = [("flight", 1), ("hotel", 2), ("car", 3)];

static BOOKED: Mutex<Vec<&str>> = Mutex::new(vec![]);

async fn book((name, seconds): Part) -> &'static str {
    sleep(Duration::from_secs(seconds)).await;
    assert_ne!(name, "flight", "the airline's answer makes no sense");
    BOOKED.lock().expect("never poisoned").push(name);
    name
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    // ANCHOR: same_task
    // In one task: the panic goes through the join, its siblings are dropped.
    let journey = AssertUnwindSafe(join_all(JOURNEY.map(book)));
    assert!(journey.catch_unwind().await.is_err());
    sleep(Duration::from_secs(3600)).await;
    assert!(BOOKED.lock().expect("never poisoned").is_empty());
    println!("join_all: nothing booked");
    // ANCHOR_END: same_task

    // ANCHOR: own_tasks
    // In tasks of their own: a panic and a cancellation are outcomes of one.
    let mut bookings = JoinSet::new();
    let mut names = HashMap::new();
    for part in JOURNEY {
        let task = bookings.spawn(book(part));
        names.insert(task.id(), part.0);
        if part.0 == "car" {
            task.abort(); // somebody else changes their mind
        }
    }
    let mut failed = HashMap::new();
    while let Some(booking) = bookings.join_next().await {
        match booking {
            Ok(name) => println!("JoinSet: {name} booked"),
            Err(error) => _ = failed.insert(names[&error.id()], error),
        }
    }
    assert_eq!(failed.len(), 2);
    assert!(failed["flight"].is_panic() && failed["car"].is_cancelled());
    println!("JoinSet: flight panicked, car cancelled");
    assert_eq!(*BOOKED.lock().expect("never poisoned"), ["hotel"]);
    // ANCHOR_END: own_tasks
}
// ANCHOR_END: all
