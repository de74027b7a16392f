// ANCHOR: all
use std::time::Duration;

use tokio::sync::watch;
use tokio::sync::watch::error::RecvError;
use tokio::time::{Instant, sleep};

const MINUTE: Duration = Duration::from_secs(60);

/// Until when the pass is good.
type Passes = watch::Receiver<Instant>;

/// Would fetch the second pass after 55 minutes.
async fn clerk(_pass: watch::Sender<Instant>) {
    sleep(55 * MINUTE).await;
    panic!("a comma in the answer");
}

// ANCHOR: broken
/// Broken: the last value stays, whatever has become of the sender.
async fn look(passes: &Passes) -> Result<Instant, RecvError> {
    Ok(*passes.borrow())
}
// ANCHOR_END: broken

// ANCHOR: fixed
/// Fixed: whoever waits for a good one hears that there will be none.
async fn good(passes: &Passes) -> Result<Instant, RecvError> {
    let mut passes = passes.clone();
    let good = |over: &Instant| *over > Instant::now();
    let over = *passes.wait_for(good).await?;
    Ok(over)
}
// ANCHOR_END: fixed

/// How many of six vans are turned away, one every 20 minutes.
async fn vans(
    passes: Passes,
    get: impl AsyncFn(&Passes) -> Result<Instant, RecvError>,
) -> Result<u32, RecvError> {
    let mut turned_away = 0;
    for _ in 0..6 {
        let over = get(&passes).await?;
        turned_away += u32::from(over <= Instant::now());
        sleep(20 * MINUTE).await;
    }
    Ok(turned_away)
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let day = || {
        let over = Instant::now() + 60 * MINUTE;
        let (sender, passes) = watch::channel(over);
        (tokio::spawn(clerk(sender)), passes, Instant::now())
    };

    let (clerk, passes, _) = day();
    let end = vans(passes, look).await;
    println!("a look: turned away {end:?} of 6");
    assert!(matches!(end, Ok(3)));
    assert!(clerk.await.is_err_and(|end| end.is_panic()));

    let (clerk, passes, start) = day();
    let end = vans(passes, good).await;
    let minutes = start.elapsed().as_secs() / 60;
    println!("a good one: after {minutes} min, {end:?}");
    assert!(end.is_err() && minutes == 60);
    assert!(clerk.await.is_err_and(|end| end.is_panic()));

    // Better: whoever has started it waits for its end.
    let (clerk, passes, start) = day();
    let error = tokio::select! {
        end = vans(passes, good) => panic!("{end:?}"),
        end = clerk => end.unwrap_err(),
    };
    let minutes = start.elapsed().as_secs() / 60;
    println!("its end: after {minutes} min, {error}");
    assert!(error.is_panic() && minutes == 55);
}
// ANCHOR_END: all
