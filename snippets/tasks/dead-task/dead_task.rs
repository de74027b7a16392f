// ANCHOR: all
use std::future::Future;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::time::{Instant, sleep};
use tokio_util::task::AbortOnDropHandle;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

// ANCHOR: keep
async fn keep(shift: u32) -> Result<()> {
    sleep([20, 20, 180, 20, 120][shift as usize] * MINUTE).await;
    match shift {
        0 | 2 => panic!("the lamp is broken"),
        1 | 3 => bail!("no oil"),
        _ => Ok(()), // it is morning
    }
}
// ANCHOR_END: keep

async fn supervise<F>(keep: impl Fn(u32) -> F) -> Result<()>
where
    F: Future<Output = Result<()>> + Send + 'static,
{
    let (mut pause, mut tries, mut shift) = (10 * MINUTE, 0, 0);
    loop {
        let start = Instant::now();
        // ANCHOR: end
        let keeper = AbortOnDropHandle::new(tokio::spawn(keep(shift)));
        let error = match keeper.await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => error,
            Err(error) if error.is_panic() => error.into(),
            Err(stopped) => return Err(stopped.into()),
        };
        // ANCHOR_END: end
        // ANCHOR: reset
        if start.elapsed() >= HOUR {
            (pause, tries) = (10 * MINUTE, 0); // it was in good order
        }
        tries += 1;
        if tries == 5 {
            return Err(error).context("dark five times in a row");
        }
        // ANCHOR_END: reset
        println!("dark: {error:#}; again in {} min", pause.as_secs() / 60);
        // ANCHOR: pause
        sleep(pause).await;
        pause = HOUR.min(2 * pause);
        // ANCHOR_END: pause
        shift += 1;
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<()> {
    // ANCHOR: night
    let start = Instant::now();
    // ANCHOR: run
    supervise(keep).await?;
    // ANCHOR_END: run
    let night = start.elapsed().as_secs() / 60;
    println!("morning: {} min of {night} dark", night - 360);
    assert_eq!(night, 360 + 10 + 20 + 10 + 20);
    // ANCHOR_END: night

    // ANCHOR: given_up
    let start = Instant::now();
    let end = supervise(|_| async { bail!("no lighthouse") }).await;
    println!("{:#}", end.expect_err("five in a row"));
    assert_eq!(start.elapsed(), (10 + 20 + 40 + 60) * MINUTE);
    // ANCHOR_END: given_up
    Ok(())
}
// ANCHOR_END: all
