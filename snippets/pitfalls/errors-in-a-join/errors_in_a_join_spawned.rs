// ANCHOR: all
use std::sync::Mutex;
use std::time::Duration;

use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep};
use tokio::{spawn, try_join};

static BOOKED: Mutex<Vec<&str>> = Mutex::new(vec![]);

type Outcome = Result<(), &'static str>;

async fn flight() -> Outcome {
    sleep(Duration::from_secs(1)).await;
    Err("no flight left")
}

async fn hotel() -> Outcome {
    sleep(Duration::from_secs(2)).await;
    BOOKED.lock().expect("never poisoned").push("hotel");
    Ok(())
}

fn take_booked() -> Vec<&'static str> {
    std::mem::take(&mut *BOOKED.lock().expect("never poisoned"))
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let hour = Duration::from_secs(3600);

    // ANCHOR: nested
    // Broken: a handle's own error is a panic. The refusal is inside an Ok.
    let start = Instant::now();
    let (flight_done, _) = try_join!(spawn(flight()), spawn(hotel()))?;
    println!("handles: the ? has passed, and inside is {flight_done:?}");
    assert_eq!(flight_done, Err("no flight left"));
    assert_eq!(start.elapsed(), Duration::from_secs(2));
    assert_eq!(take_booked(), ["hotel"]);
    // ANCHOR_END: nested

    // ANCHOR: detached
    // Broken: the error comes at once, and the hotel is booked all the same.
    async fn flat(task: JoinHandle<Outcome>) -> Outcome {
        task.await.expect("does not panic")
    }
    let both = try_join!(flat(spawn(flight())), flat(spawn(hotel())));
    assert_eq!(both, Err("no flight left"));
    assert!(take_booked().is_empty());
    sleep(hour).await;
    let booked = take_booked();
    println!("flattened: no flight left, and later booked: {booked:?}");
    assert_eq!(booked, ["hotel"]);
    // ANCHOR_END: detached

    // ANCHOR: fixed
    // Fixed: a JoinSet owns its tasks. Stop the others, and wait for that.
    let mut bookings = JoinSet::new();
    bookings.spawn(flight());
    bookings.spawn(hotel());
    while let Some(booking) = bookings.join_next().await {
        if let Err(error) = booking? {
            println!("JoinSet: {error}");
            bookings.shutdown().await;
        }
    }
    sleep(hour).await;
    let booked = take_booked();
    println!("JoinSet: and later booked: {booked:?}");
    assert!(booked.is_empty());
    // ANCHOR_END: fixed
    Ok(())
}
// ANCHOR_END: all
