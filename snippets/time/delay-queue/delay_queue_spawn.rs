// ANCHOR: all
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::sleep;

static REMINDED: AtomicU32 = AtomicU32::new(0);

async fn remind(parcel: u32) {
    REMINDED.fetch_add(parcel, Relaxed);
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let hour = Duration::from_secs(3600);
    // ANCHOR: spawn
    let reminder = tokio::spawn(async move {
        sleep(hour).await;
        remind(7).await;
    });
    // ANCHOR_END: spawn
    sleep(hour / 2).await;
    assert_eq!(REMINDED.load(Relaxed), 0);
    reminder.await?;
    assert_eq!(REMINDED.load(Relaxed), 7);

    let second = tokio::spawn(async move {
        sleep(hour).await;
        remind(8).await;
    });
    second.abort();
    assert!(second.await.is_err_and(|error| error.is_cancelled()));
    println!("reminded: parcel {REMINDED:?}");
    assert_eq!(REMINDED.load(Relaxed), 7);
    Ok(())
}
// ANCHOR_END: all
