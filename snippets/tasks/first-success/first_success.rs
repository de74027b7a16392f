// ANCHOR: all
use std::time::Duration;

use futures::FutureExt;
use futures::future::select_ok;
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

// ANCHOR: companies
/// A company, and the minutes until it answers.
const COMPANIES: [(&str, u64); 3] =
    [("Castle", 9), ("Swift", 1), ("Harbour", 4)];
// ANCHOR_END: companies

// ANCHOR: call
async fn call(company: &str, minutes: u64) -> Result<&str, &'static str> {
    sleep(Duration::from_secs(60 * minutes)).await;
    match company {
        "Swift" => Err("Swift: no car left"),
        company => Ok(company),
    }
}
// ANCHOR_END: call

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    // ANCHOR: futures
    // Futures: the first Ok ends it, and the others are dropped.
    let start = Instant::now();
    // ANCHOR: race
    let calls = COMPANIES.map(|(name, minutes)| call(name, minutes).boxed());
    let (taxi, others) = select_ok(calls).await.expect("one has a car");
    drop(others);
    // ANCHOR_END: race
    let minutes = start.elapsed().as_secs() / 60;
    println!("select_ok: {taxi} after {minutes} min");
    assert_eq!((taxi, minutes), ("Harbour", 4));
    // ANCHOR_END: futures

    // ANCHOR: tasks
    // Tasks: the same, and a call that panics is an error like any other.
    let start = Instant::now();
    let mut calls = JoinSet::new();
    for (name, minutes) in COMPANIES {
        calls.spawn(call(name, minutes));
    }
    let mut taxi = None;
    while let Some(answer) = calls.join_next().await {
        if let Ok(Ok(name)) = answer {
            taxi = Some(name);
            calls.shutdown().await;
        }
    }
    let minutes = start.elapsed().as_secs() / 60;
    println!("JoinSet: {taxi:?} after {minutes} min");
    // ANCHOR: winner
    assert_eq!((taxi, minutes), (Some("Harbour"), 4));
    assert_eq!(Handle::current().metrics().num_alive_tasks(), 0);
    // ANCHOR_END: winner
    // ANCHOR_END: tasks
}
// ANCHOR_END: all
