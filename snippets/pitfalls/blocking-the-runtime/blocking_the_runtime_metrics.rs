// ANCHOR: all
use std::thread;
use std::time::Duration;

use tokio::time::sleep;
use tokio_metrics::TaskMonitor;

const MS: Duration = Duration::from_millis(1);

/// Takes three polls, and the second one blocks. Returns how many slow polls are
/// counted while it blocks.
async fn render(monitor: TaskMonitor) -> u64 {
    sleep(MS).await;
    thread::sleep(20 * MS);
    let counted = monitor.cumulative().total_slow_poll_count;
    sleep(MS).await;
    counted
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: monitor
    let threshold = Duration::from_micros(100);
    let monitor = TaskMonitor::with_slow_poll_threshold(threshold);
    // ANCHOR_END: monitor
    // The first poll may be slow, too, if the machine has other work.
    let before = render(monitor.clone()).await;
    assert_eq!(before, 0, "it counts what it instruments");
    // ANCHOR: instrument
    let task = monitor.instrument(render(monitor.clone()));
    let counted = tokio::spawn(task).await?;
    let metrics = monitor.cumulative();
    // ANCHOR_END: instrument
    let slow = metrics.total_slow_poll_count;
    assert!(slow > counted, "the poll is counted when it has ended");
    assert!(metrics.total_slow_poll_duration >= 20 * MS);
    assert_eq!(metrics.total_poll_count, 3);
    println!("polls: {}, slow: at least 1", metrics.total_poll_count);
    Ok(())
}
// ANCHOR_END: all
