// ANCHOR: all
use std::mem::size_of_val;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use tokio::task::yield_now;

fn checksum(label: &[u8]) -> u32 {
    label.iter().map(|&byte| u32::from(byte)).sum()
}

static REPORTED: AtomicU32 = AtomicU32::new(0);

/// Waits for the carrier.
async fn report(checksum: u32) {
    yield_now().await;
    REPORTED.fetch_add(checksum, Relaxed);
}

// ANCHOR: broken
async fn check_and_hold() {
    let label = [b';'; 64 * 1024];
    let checksum = checksum(&label);
    report(checksum).await; // `label` lives until the end of its scope
}
// ANCHOR_END: broken

// ANCHOR: fixed
async fn check() {
    let checksum = {
        let label = [b';'; 64 * 1024];
        checksum(&label)
    };
    report(checksum).await;
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let large = check_and_hold();
    let small = check();
    assert!(size_of_val(&large) > 64 * 1024);
    assert!(size_of_val(&small) < 1024);
    println!("across the await: a future of more than 64 KiB");
    println!("in a scope of its own: a future of less than 1 KiB");
    large.await;
    small.await;
    let each = 64 * 1024 * u32::from(b';');
    assert_eq!(REPORTED.load(Relaxed), 2 * each);
}
// ANCHOR_END: all
