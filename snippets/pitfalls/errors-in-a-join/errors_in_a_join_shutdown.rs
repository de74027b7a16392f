// ANCHOR: all
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep;

static SOLD: AtomicU32 = AtomicU32::new(0);

/// Three labels, of which the second is refused, all after a second.
fn start() -> JoinSet<Result<u32, &'static str>> {
    let mut group = JoinSet::new();
    for key in 1..=3 {
        group.spawn(async move {
            sleep(Duration::from_secs(1)).await;
            if key == 2 {
                return Err("402 Payment Required");
            }
            SOLD.fetch_add(1, SeqCst);
            Ok(key)
        });
    }
    group
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let (mut group, mut labels) = (start(), Vec::new());
    // ANCHOR: broken
    while let Some(end) = group.join_next().await {
        match end? {
            Ok(label) => labels.push(label),
            Err(_) => group.shutdown().await,
        }
    }
    // ANCHOR_END: broken
    println!("shutdown: {SOLD:?} labels are sold, known are {labels:?}");
    assert_eq!((SOLD.swap(0, SeqCst), labels), (2, vec![1]));

    let (mut group, mut labels) = (start(), Vec::new());
    // ANCHOR: fixed
    while let Some(end) = group.join_next().await {
        match end {
            Ok(Ok(label)) => labels.push(label),
            Ok(Err(_)) | Err(_) => group.abort_all(), // the loop goes on
        }
    }
    // ANCHOR_END: fixed
    println!("abort_all: {SOLD:?} labels are sold, known are {labels:?}");
    assert_eq!((SOLD.swap(0, SeqCst), labels), (2, vec![1, 3]));
    Ok(())
}
// ANCHOR_END: all
