// ANCHOR: all
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

const HOUR: Duration = Duration::from_secs(3600);

/// Whoever holds it lets it burn.
type Lamp = Arc<()>;

async fn keep(_lamp: Lamp) {
    sleep(HOUR * 5 / 2).await;
    panic!("no oil");
}

/// A ship an hour, and how many of them saw no light.
async fn ships(lamp: &Lamp) -> u32 {
    let mut wrecks = 0;
    for _ in 0..6 {
        sleep(HOUR).await;
        let burns = Arc::strong_count(lamp) > 1;
        wrecks += u32::from(!burns);
    }
    wrecks
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    // ANCHOR: broken
    // Broken: nobody waits for the keeper. A line on stderr is all.
    let lamp = Lamp::default();
    tokio::spawn(keep(lamp.clone()));
    let wrecks = ships(&lamp).await;
    println!("nobody waits: {wrecks} of 6 ships wrecked");
    assert_eq!(wrecks, 4);
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: whoever does the work waits for the keeper too.
    let (lamp, start) = (Lamp::default(), Instant::now());
    let mut keeper = tokio::spawn(keep(lamp.clone()));
    let error = tokio::select! {
        wrecks = ships(&lamp) => panic!("unnoticed: {wrecks} wrecked"),
        end = &mut keeper => end.unwrap_err(),
    };
    println!("after {} min: {error}", start.elapsed().as_secs() / 60);
    assert!(error.is_panic());
    assert_eq!(start.elapsed(), HOUR * 5 / 2);
    // ANCHOR_END: fixed
}
// ANCHOR_END: all
