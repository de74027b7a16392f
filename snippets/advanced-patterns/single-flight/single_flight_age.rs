// ANCHOR: all
use std::cell::Cell;
use std::time::Duration;

use futures::FutureExt;
use futures::future::{LocalBoxFuture, Shared, join_all};
use tokio::time::{Instant, sleep};

/// A request: when it began, and when it will have completed.
type Entry<'a> = (Instant, Shared<LocalBoxFuture<'a, Instant>>);

const SECOND: Duration = Duration::from_secs(1);

/// Ten callers, one a second, of a carrier that takes 20 s: how many requests.
async fn ten_callers(is_fresh: impl Fn(&Entry) -> bool) -> u32 {
    let requests = Cell::new(0);
    let mut known: Option<Entry> = None;
    let mut callers = Vec::new();
    for _ in 0..10 {
        let fresh = known.take().filter(|flight| is_fresh(flight));
        let flight = fresh.unwrap_or_else(|| {
            requests.set(requests.get() + 1);
            let request = sleep(20 * SECOND).map(|()| Instant::now());
            (Instant::now(), request.boxed_local().shared())
        });
        callers.push(flight.1.clone());
        known = Some(flight);
        sleep(SECOND).await;
    }
    join_all(callers).await;
    requests.get()
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let time_to_live = SECOND / 2;

    // ANCHOR: broken
    let is_fresh = |(begun, _): &Entry| begun.elapsed() <= time_to_live;
    // ANCHOR_END: broken
    let requests = ten_callers(is_fresh).await;
    println!("age since the request began: {requests} requests");
    assert_eq!(requests, 10);

    // ANCHOR: fixed
    let is_fresh = |(_, flight): &Entry| match flight.peek() {
        None => true, // pending
        Some(completed) => completed.elapsed() <= time_to_live,
    };
    // ANCHOR_END: fixed
    let requests = ten_callers(is_fresh).await;
    println!("age since it completed: {requests} request");
    assert_eq!(requests, 1);

    // A completed one ages.
    let completed = async { Instant::now() }.boxed_local().shared();
    completed.clone().await;
    let flight = (Instant::now(), completed);
    sleep(time_to_live).await;
    assert!(is_fresh(&flight));
    sleep(time_to_live).await;
    assert!(!is_fresh(&flight));
}
// ANCHOR_END: all
