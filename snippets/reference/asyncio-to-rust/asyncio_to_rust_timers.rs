// ANCHOR: all
use std::time::Duration;

use futures::FutureExt;
use tokio::sync::oneshot;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    // spawn and sleep: `abort` is the handle's `cancel`.
    let start = Instant::now();
    let (horn, heard) = oneshot::channel();
    let later = tokio::spawn(async move {
        sleep(HOUR).await;
        horn.send("fog").expect("`main` listens");
    });
    assert_eq!(heard.await?, "fog");
    later.await?;
    assert_eq!(start.elapsed(), HOUR);
    let later = tokio::spawn(sleep(HOUR));
    later.abort();
    assert!(later.await.unwrap_err().is_cancelled());
    println!("spawn and sleep: an hour later, or never");

    // interval: the work's own time does not add up.
    let mut tide = interval(HOUR);
    let start = Instant::now();
    for hours in 0..3 {
        tide.tick().await; // the first one is at once
        assert_eq!(start.elapsed(), hours * HOUR);
        sleep(HOUR / 4).await;
    }
    println!("interval: on the hour");

    // Three and a half hours late, it makes up for what it has missed, or
    // begins to count anew, or keeps to the hour.
    for (behaviour, due, next) in [
        (MissedTickBehavior::Burst, 4, HOUR / 2),
        (MissedTickBehavior::Delay, 1, HOUR),
        (MissedTickBehavior::Skip, 1, HOUR / 2),
    ] {
        let mut tide = interval(HOUR);
        tide.set_missed_tick_behavior(behaviour);
        tide.tick().await;
        sleep(4 * HOUR + HOUR / 2).await;
        let at_once = std::iter::from_fn(|| tide.tick().now_or_never());
        assert_eq!(at_once.count(), due);
        let start = Instant::now();
        tide.tick().await;
        assert_eq!(start.elapsed(), next);
        println!("{behaviour:?}: {due} at once, the next in {next:?}");
    }
    Ok(())
}
// ANCHOR_END: all
