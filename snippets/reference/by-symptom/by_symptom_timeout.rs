// ANCHOR: all
use std::sync::mpsc::channel;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// Counts the spokes of all bikes in town. No await.
fn count() -> u64 {
    (1..=1_000_000).sum()
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // Broken: a timeout looks at the clock when the future lets it, which is
    // when it has finished. Not even no time at all is too little.
    let no_time = Duration::ZERO;
    let counted = timeout(no_time, async { count() }).await;
    println!("no time to compute: {counted:?}");
    assert_eq!(counted, Ok(500_000_500_000));

    // Fixed: on another thread. The timeout fires, and that thread works on.
    let (stop, stopped) = channel::<()>();
    let (done, is_done) = channel();
    let counting = spawn_blocking(move || {
        let _ = stopped.recv(); // until `stop` is dropped
        done.send(count())
    });
    let counted = timeout(no_time, counting).await;
    assert!(counted.is_err());
    println!("no time to wait: {}", counted.unwrap_err());
    drop(stop);
    assert_eq!(is_done.recv()?, 500_000_500_000);
    println!("and yet it was counted");
    Ok(())
}
// ANCHOR_END: all
