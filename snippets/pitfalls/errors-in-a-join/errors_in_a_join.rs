// ANCHOR: all
use std::sync::Mutex;
use std::time::Duration;

use futures::future::join_all;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

/// A part of the journey, the seconds it takes to book, and how many are left.
type Part = (&'static str, u64, u32);

const JOURNEY: [Part; 3] = [("flight", 1, 0), ("hotel", 2, 4), ("car", 3, 0)];

// ANCHOR: booked
static BOOKED: Mutex<Vec<&str>> = Mutex::new(vec![]);
// ANCHOR_END: booked

#[derive(Debug, PartialEq, thiserror::Error)]
#[error("no {0} left")]
struct SoldOut(&'static str);

// ANCHOR: book
async fn book((name, seconds, left): Part) -> Result<&'static str, SoldOut> {
    sleep(Duration::from_secs(seconds)).await;
    if left == 0 {
        return Err(SoldOut(name));
    }
    BOOKED.lock().expect("never poisoned").push(name);
    Ok(name)
}
// ANCHOR_END: book

fn take_booked() -> Vec<&'static str> {
    std::mem::take(&mut *BOOKED.lock().expect("never poisoned"))
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: all_or_nothing
    // All or nothing: the first error drops the others where they stand.
    let start = Instant::now();
    // ANCHOR: journey
    let [flight, hotel, car] = JOURNEY.map(book);
    let outcome = tokio::try_join!(flight, hotel, car);
    // ANCHOR_END: journey
    // ANCHOR: refused
    println!("try_join! after {:?}: {outcome:?}", start.elapsed());
    assert_eq!(outcome, Err(SoldOut("flight")));
    // ANCHOR_END: refused
    assert_eq!(start.elapsed(), Duration::from_secs(1));
    // ANCHOR: cancelled
    sleep(Duration::from_secs(3600)).await;
    assert!(take_booked().is_empty());
    // ANCHOR_END: cancelled
    // ANCHOR_END: all_or_nothing

    // ANCHOR: everything
    // Everything, in the order of the input, when the last one is done.
    let start = Instant::now();
    let outcomes = join_all(JOURNEY.map(book)).await;
    println!("join_all after {:?}:  {outcomes:?}", start.elapsed());
    let [flight, car] = ["flight", "car"].map(|part| Err(SoldOut(part)));
    assert_eq!(outcomes, [flight, Ok("hotel"), car]);
    assert_eq!(start.elapsed(), Duration::from_secs(3));
    assert_eq!(take_booked(), ["hotel"]);
    // ANCHOR_END: everything

    // ANCHOR: as_they_come
    // As they come: stop when you have what you need.
    let start = Instant::now();
    let mut bookings = JoinSet::new();
    for part in JOURNEY {
        bookings.spawn(async move { (part.0, book(part).await) });
    }
    while let Some(booking) = bookings.join_next().await {
        let (name, outcome) = booking?; // a panic is passed on
        println!("JoinSet after {:?}:   {name}: {outcome:?}", start.elapsed());
        if outcome.is_ok() {
            bookings.shutdown().await;
        }
    }
    assert_eq!(start.elapsed(), Duration::from_secs(2));
    assert_eq!(take_booked(), ["hotel"]);
    // ANCHOR_END: as_they_come
    Ok(())
}
// ANCHOR_END: all
