// ANCHOR: all
use std::time::Duration;

use tokio::time::{Instant, sleep};

const SECOND: Duration = Duration::from_secs(1);

async fn keep() -> Result<(), &'static str> {
    Err("no oil")
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: broken
    // Broken: started again at once, as often as the machine can.
    let (start, mut shifts) = (Instant::now(), 0);
    while shifts < 10_000 && tokio::spawn(keep()).await?.is_err() {
        shifts += 1;
    }
    println!("at once: {shifts} shifts in {:?}", start.elapsed());
    assert_eq!(start.elapsed(), Duration::ZERO);
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: each pause is twice as long as the last one, up to a minute.
    let (start, mut shifts, mut pause) = (Instant::now(), 0, SECOND);
    while start.elapsed() < 600 * SECOND {
        assert!(tokio::spawn(keep()).await?.is_err());
        shifts += 1;
        sleep(pause).await;
        pause = (2 * pause).min(60 * SECOND);
    }
    println!("with a pause: {shifts} shifts in {:?}", start.elapsed());
    assert_eq!(shifts, 15);
    // ANCHOR_END: fixed
    Ok(())
}
// ANCHOR_END: all
