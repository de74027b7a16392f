// ANCHOR: all
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

const MINUTE: Duration = Duration::from_secs(60);

/// Takes ten minutes; the third time the chain is stuck, and it takes 150.
async fn wind(time: usize) {
    let minutes = if time == 3 { 150 } else { 10 };
    sleep(minutes * MINUTE).await;
}

/// In which minutes it is wound, and the shortest pause between two of them.
async fn wound(missed: MissedTickBehavior) -> (Vec<u64>, Duration) {
    let (start, mut begun) = (Instant::now(), Vec::new());
    let (mut end, mut pause) = (None::<Instant>, Duration::MAX);
    let mut hourly = interval(60 * MINUTE);
    hourly.set_missed_tick_behavior(missed);
    while start.elapsed() < 330 * MINUTE {
        hourly.tick().await;
        pause = pause.min(end.map_or(pause, |end| end.elapsed()));
        begun.push(start.elapsed().as_secs() / 60);
        wind(begun.len()).await;
        end = Some(Instant::now());
    }
    (begun, pause)
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    // ANCHOR: burst
    let (begun, pause) = wound(MissedTickBehavior::Burst).await;
    println!("Burst: {begun:?}");
    assert_eq!(begun, [0, 60, 120, 270, 280, 300, 360]);
    assert_eq!(pause, Duration::ZERO);
    // ANCHOR_END: burst

    // ANCHOR: delay
    let (begun, pause) = wound(MissedTickBehavior::Delay).await;
    println!("Delay: {begun:?}");
    assert_eq!(begun, [0, 60, 120, 270, 330]);
    assert!(begun.windows(2).all(|two| two[1] - two[0] >= 60));
    assert_eq!(pause, Duration::ZERO, "it keeps the beginnings apart");
    // ANCHOR_END: delay

    // ANCHOR: skip
    let (begun, pause) = wound(MissedTickBehavior::Skip).await;
    println!("Skip: {begun:?}");
    assert_eq!(begun, [0, 60, 120, 270, 300, 360]);
    assert_eq!(pause, Duration::ZERO);
    // ANCHOR_END: skip
}
// ANCHOR_END: all
