// ANCHOR: all
use std::sync::Mutex as StdMutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::join;
use tokio::sync::{Mutex, RwLock, watch};
use tokio::time::{Instant, sleep};

/// Edition of the chart.
type Chart = u32;

const HOUR: Duration = Duration::from_secs(3600);

/// Two pilots study the chart for an hour each, and somebody comes at once to
/// correct it. After how many hours have both read, and is it corrected?
async fn day(
    way: &str,
    study: impl AsyncFn() -> Chart,
    correct: impl AsyncFn(),
) -> (u64, u64) {
    let start = Instant::now();
    let hours = || start.elapsed().as_secs() / 3600;
    let read = async {
        let charts = join!(study(), study());
        assert_eq!(charts, (1, 1), "both have begun before the correction");
        hours()
    };
    let corrected = async {
        correct().await;
        hours()
    };
    let (read, corrected) = join!(read, corrected);
    println!("{way:18} both have read: {read} h, corrected: {corrected} h");
    (read, corrected)
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let chart = Mutex::new(1);
    let study = async || {
        let chart = chart.lock().await;
        sleep(HOUR).await;
        *chart
    };
    let correct = async || *chart.lock().await += 1;
    assert_eq!(day("Mutex, held", study, correct).await, (2, 2));

    let chart = RwLock::new(1);
    let study = async || {
        let chart = chart.read().await;
        sleep(HOUR).await;
        *chart
    };
    let correct = async || *chart.write().await += 1;
    assert_eq!(day("RwLock, held", study, correct).await, (1, 1));

    let chart = StdMutex::new(1);
    let study = async || {
        let copy = *chart.lock().expect("never poisoned");
        sleep(HOUR).await;
        copy
    };
    let correct = async || *chart.lock().expect("never poisoned") += 1;
    assert_eq!(day("std Mutex, a copy", study, correct).await, (1, 0));

    let (sender, chart) = watch::channel(1);
    let study = async || {
        let copy = *chart.borrow();
        sleep(HOUR).await;
        copy
    };
    let correct = async || sender.send_modify(|chart| *chart += 1);
    assert_eq!(day("watch, a copy", study, correct).await, (1, 0));

    // A number needs no lock at all.
    let chart = AtomicU32::new(1);
    let study = async || {
        let copy = chart.load(Ordering::Relaxed);
        sleep(HOUR).await;
        copy
    };
    let correct = async || {
        chart.fetch_add(1, Ordering::Relaxed);
    };
    assert_eq!(day("atomic, a copy", study, correct).await, (1, 0));
}
// ANCHOR_END: all
