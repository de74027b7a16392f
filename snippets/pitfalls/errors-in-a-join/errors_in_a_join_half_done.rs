// ANCHOR: all
use std::sync::atomic::{AtomicI32, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::sleep;

static PAID: AtomicI32 = AtomicI32::new(0);

async fn flight() -> Result<(), &'static str> {
    sleep(Duration::from_secs(2)).await;
    Err("no flight left")
}

/// The hotel wants its money first. What it returns is the way back.
async fn hotel() -> Result<impl AsyncFnOnce(), &'static str> {
    sleep(Duration::from_secs(1)).await;
    PAID.fetch_add(120, Relaxed);
    sleep(Duration::from_secs(2)).await; // waits for the confirmation
    Ok(async || {
        sleep(Duration::from_secs(1)).await;
        PAID.fetch_sub(120, Relaxed);
    })
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    // ANCHOR: broken
    // Broken: the hotel has its money, and nobody has a booking.
    let journey = tokio::try_join!(flight(), hotel());
    assert!(journey.is_err());
    println!("try_join!: no journey, {PAID:?} paid");
    assert_eq!(PAID.swap(0, Relaxed), 120);
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: let both come to their end, then undo what was done.
    let (flight, hotel) = tokio::join!(flight(), hotel());
    if let (Err(_), Ok(cancel)) = (flight, hotel) {
        assert_eq!(PAID.load(Relaxed), 120);
        cancel().await;
    }
    println!("join!:     no journey, {PAID:?} paid");
    assert_eq!(PAID.load(Relaxed), 0);
    // ANCHOR_END: fixed
}
// ANCHOR_END: all
