// ANCHOR: all
use std::mem::size_of_val;

use tokio::task::yield_now;

fn checksum(orders: &[u8]) -> u32 {
    orders.iter().map(|&byte| u32::from(byte)).sum()
}

/// Waits for the bank.
async fn report(_checksum: u32) {
    yield_now().await;
}

// ANCHOR: broken
// Broken: `orders` lives to the end of its scope, and waits along.
async fn check_at_once() {
    let orders = [b';'; 64 * 1024];
    let checksum = checksum(&orders);
    report(checksum).await;
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: its scope ends before the wait begins.
async fn check() {
    let checksum = {
        let orders = [b';'; 64 * 1024];
        checksum(&orders)
    };
    report(checksum).await;
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let large = check_at_once();
    let small = check();
    assert!(size_of_val(&large) > 64 * 1024);
    assert!(size_of_val(&small) < 1024);
    println!("across the await: over 64 KiB for each task that waits");
    println!("in a scope of its own: less than 1 KiB");
    tokio::join!(large, small);
}
// ANCHOR_END: all
