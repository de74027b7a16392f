// ANCHOR: all
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{interval, sleep};

const MINUTE: Duration = Duration::from_secs(60);

static AT_WORK: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

/// Polishes the lens, which takes two hours and a half.
async fn polish() {
    MOST.fetch_max(AT_WORK.fetch_add(1, Relaxed) + 1, Relaxed);
    sleep(150 * MINUTE).await;
    AT_WORK.fetch_sub(1, Relaxed);
}

// ANCHOR: broken
// Broken: the next one begins, whether the last one has ended or not.
async fn one_an_hour(tasks: &mut JoinSet<()>) {
    let mut hourly = interval(60 * MINUTE);
    for _ in 0..6 {
        hourly.tick().await;
        tasks.spawn(polish());
    }
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: who comes while it is under way leaves it out.
async fn one_at_a_time(tasks: &mut JoinSet<()>) {
    let mut hourly = interval(60 * MINUTE);
    let free = Arc::new(Semaphore::new(1));
    for _ in 0..6 {
        hourly.tick().await;
        if let Ok(permit) = free.clone().try_acquire_owned() {
            tasks.spawn(async move {
                polish().await;
                drop(permit);
            });
        }
    }
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let mut tasks = JoinSet::new();
    one_an_hour(&mut tasks).await;
    let done = tasks.join_all().await.len();
    let most = MOST.swap(0, Relaxed);
    println!("one an hour: {done} times, {most} at the same time");
    assert_eq!((done, most), (6, 3));

    let mut tasks = JoinSet::new();
    one_at_a_time(&mut tasks).await;
    let done = tasks.join_all().await.len();
    let most = MOST.load(Relaxed);
    println!("one at a time: {done} times, {most} at the same time");
    assert_eq!((done, most), (2, 1));
}
// ANCHOR_END: all
