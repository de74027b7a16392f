// ANCHOR: all
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{interval, sleep};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

static RUNNING: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

/// Writes a report, which takes two hours and a half.
async fn write_report() {
    MOST.fetch_max(RUNNING.fetch_add(1, SeqCst) + 1, SeqCst);
    sleep(150 * MINUTE).await;
    RUNNING.fetch_sub(1, SeqCst);
}

// ANCHOR: broken
async fn one_each_hour(reports: &mut JoinSet<()>) {
    let mut hourly = interval(HOUR);
    for _ in 0..6 {
        hourly.tick().await;
        reports.spawn(write_report());
    }
}
// ANCHOR_END: broken

// ANCHOR: fixed
async fn one_at_a_time(reports: &mut JoinSet<()>) {
    let permits = Arc::new(Semaphore::new(1));
    let mut hourly = interval(HOUR);
    for _ in 0..6 {
        hourly.tick().await;
        if let Ok(permit) = Arc::clone(&permits).try_acquire_owned() {
            reports.spawn(async move {
                let _permit = permit;
                write_report().await;
            });
        }
    }
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let mut reports = JoinSet::new();
    one_each_hour(&mut reports).await;
    let done = reports.join_all().await.len();
    let most = MOST.swap(0, SeqCst);
    println!("one each hour: {done} reports, {most} at the same time");
    assert_eq!((done, most), (6, 3));

    let mut reports = JoinSet::new();
    one_at_a_time(&mut reports).await;
    let done = reports.join_all().await.len();
    let most = MOST.load(SeqCst);
    println!("one at a time: {done} reports, {most} at the same time");
    assert_eq!((done, most), (2, 1));
}
// ANCHOR_END: all
