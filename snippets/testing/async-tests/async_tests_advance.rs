// ANCHOR: all
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use tokio::task::yield_now;
use tokio::time::{advance, sleep};

/// Sends a pulse every second.
async fn beacon(pulses: &AtomicU32) {
    loop {
        sleep(Duration::from_secs(1)).await;
        pulses.fetch_add(1, Relaxed);
    }
}

// ANCHOR: broken
// Broken: three seconds in one jump. The beacon wakes up once, and its next
// second begins then.
#[tokio::test(start_paused = true)]
async fn broken_one_pulse_in_three_seconds() {
    static PULSES: AtomicU32 = AtomicU32::new(0);
    let beacon = tokio::spawn(beacon(&PULSES));
    yield_now().await; // otherwise it begins after the jump
    advance(Duration::from_millis(3500)).await;
    yield_now().await;
    assert_eq!(PULSES.load(Relaxed), 1);
    beacon.abort();
    assert!(beacon.await.unwrap_err().is_cancelled());
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: sleep. The clock goes from timer to timer, in their order.
#[tokio::test(start_paused = true)]
async fn fixed_three_pulses_in_three_seconds() {
    static PULSES: AtomicU32 = AtomicU32::new(0);
    let beacon = tokio::spawn(beacon(&PULSES));
    sleep(Duration::from_millis(3500)).await;
    assert_eq!(PULSES.load(Relaxed), 3);
    beacon.abort();
    assert!(beacon.await.unwrap_err().is_cancelled());
}
// ANCHOR_END: fixed
// ANCHOR_END: all
