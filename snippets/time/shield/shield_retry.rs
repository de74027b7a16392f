// ANCHOR: all
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::sync::OnceCell;
use tokio::time::{sleep, timeout};

/// How many labels the carrier has sold.
static SOLD: AtomicU32 = AtomicU32::new(0);

async fn buy(parcel: u32) -> Result<String> {
    sleep(Duration::from_secs(5)).await;
    ensure!(parcel != 404, "402 Payment Required");
    let number = SOLD.fetch_add(1, Relaxed) + 1;
    Ok(format!("label {number}"))
}

// ANCHOR: broken
async fn label(parcel: u32) -> Result<String> {
    tokio::spawn(buy(parcel)).await?
}
// ANCHOR_END: broken

// ANCHOR: fixed
type Labels = Mutex<HashMap<String, Arc<OnceCell<String>>>>;

async fn label_once(
    labels: &Labels,
    key: &str, // from the client: one for each purchase
    parcel: u32,
) -> Result<String> {
    let cell = {
        let mut labels = labels.lock().expect("no panic while it is locked");
        Arc::clone(labels.entry(key.to_owned()).or_default())
    };
    let work = async move {
        let label = cell.get_or_try_init(|| buy(parcel)).await;
        label.cloned()
    };
    tokio::spawn(work).await?
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<()> {
    let limit = Duration::from_secs(3);
    assert!(timeout(limit, label(7)).await.is_err());
    println!("without a key: {}", label(7).await?);
    assert_eq!(SOLD.swap(0, Relaxed), 2);

    let labels = Labels::default();
    assert!(timeout(limit, label_once(&labels, "k1", 7)).await.is_err());
    println!("with a key: {}", label_once(&labels, "k1", 7).await?);
    assert_eq!(label_once(&labels, "k1", 7).await?, "label 1");
    assert_eq!(SOLD.load(Relaxed), 1);

    // An error is not kept: the same key is tried again.
    assert!(label_once(&labels, "k2", 404).await.is_err());
    assert_eq!(label_once(&labels, "k2", 7).await?, "label 2");
    Ok(())
}
// ANCHOR_END: all
