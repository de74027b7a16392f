// ANCHOR: all
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::sync::OnceCell;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

/// The keys of the labels that the carrier has sold.
static SOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn sold() -> usize {
    SOLD.lock().expect("no panic").len()
}

/// The carrier sells one label for a key. It sells a label for parcel 8, and
/// then the connection is lost.
async fn buy(parcel: u32, key: &str) -> Result<String> {
    sleep(Duration::from_secs(5)).await;
    ensure!(parcel != 404, "402 Payment Required");
    let mut sold = SOLD.lock().expect("no panic");
    let earlier = sold.iter().position(|of| of == key);
    if earlier.is_none() {
        sold.push(key.to_owned());
        ensure!(parcel != 8, "connection lost");
    }
    Ok(format!("label {}", earlier.map_or(sold.len(), |index| index + 1)))
}

// ANCHOR: broken
async fn label(parcel: u32) -> Result<String> {
    let key = Uuid::new_v4().to_string(); // another one for each call
    tokio::spawn(async move { buy(parcel, &key).await }).await?
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
    let key = key.to_owned();
    let work = async move {
        let label = cell.get_or_try_init(|| buy(parcel, &key)).await;
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
    assert_eq!(sold(), 2);
    SOLD.lock().expect("no panic").clear();

    let labels = Labels::default();
    assert!(timeout(limit, label_once(&labels, "k1", 7)).await.is_err());
    println!("with a key: {}", label_once(&labels, "k1", 7).await?);
    assert_eq!(label_once(&labels, "k1", 7).await?, "label 1");
    assert_eq!(sold(), 1);

    // An error is not kept: the same key is tried again.
    assert!(label_once(&labels, "k2", 404).await.is_err());
    assert_eq!(label_once(&labels, "k2", 7).await?, "label 2");

    // The label was sold, and the first call does not know it.
    let error = label_once(&labels, "k3", 8).await.expect_err("it is lost");
    let label = label_once(&labels, "k3", 8).await?;
    println!("{error}, and then: {label}");
    assert_eq!((&*label, sold()), ("label 3", 3));
    Ok(())
}
// ANCHOR_END: all
