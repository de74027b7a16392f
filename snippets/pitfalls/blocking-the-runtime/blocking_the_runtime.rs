// ANCHOR: all
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use tokio::task::{spawn_blocking, yield_now};
use tokio::time::{MissedTickBehavior, interval};

const BEAT: Duration = Duration::from_millis(10);

// ANCHOR: heart
/// Tells the load balancer every 10 ms that the archive is alive. Returns how
/// many beats it missed once nobody listens.
async fn heart(load_balancer: Sender<()>) -> u128 {
    let mut missed = 0;
    let mut ticks = interval(BEAT);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    while load_balancer.send(()).is_ok() {
        let due = ticks.tick().await;
        missed += due.elapsed().as_millis() / BEAT.as_millis();
    }
    missed
}
// ANCHOR_END: heart

// ANCHOR: scan
/// The scanner's driver holds its thread while a page goes through. This page
/// is through after ten beats, or when none has come for `patience`.
fn scan(heartbeat: &Receiver<()>, patience: Duration) -> usize {
    let beat = |_| heartbeat.recv_timeout(patience).ok();
    (0..10).map_while(beat).count()
}
// ANCHOR_END: scan

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: start
    let (load_balancer, heartbeat) = channel();
    let heart = tokio::spawn(heart(load_balancer));
    yield_now().await; // the first beat
    assert!(heartbeat.try_iter().count() > 0, "alive");
    // ANCHOR_END: start

    // ANCHOR: broken
    // Broken: scan() has the thread, and the heart needs it too.
    let beats = scan(&heartbeat, 20 * BEAT);
    println!("scanned on the runtime: {beats} beats");
    assert_eq!(beats, 0);
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: scan() has a thread of its own.
    let patience = Duration::from_secs(30);
    let beats = spawn_blocking(move || scan(&heartbeat, patience)).await?;
    println!("scanned beside it:      {beats} beats");
    assert_eq!(beats, 10);
    // ANCHOR_END: fixed

    let missed = heart.await?;
    assert!(missed >= 19, "twenty were due, the first is only late");
    println!("missed in between:      19 beats, at least");
    Ok(())
}
// ANCHOR_END: all
