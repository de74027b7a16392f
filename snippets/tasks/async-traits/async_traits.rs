// ANCHOR: all
use std::time::Duration;

use tokio::time::{Instant, sleep};

const MINUTE: Duration = Duration::from_secs(60);

#[derive(Debug, thiserror::Error)]
#[error("somebody laughs")]
struct Cut;

// ANCHOR: takes
/// Has a scene played until a take is good: once, and up to `limit` times.
async fn takes<T>(
    limit: u32,
    mut scene: impl AsyncFnMut(u32) -> Result<T, Cut>,
) -> Result<T, Cut> {
    for take in 1..limit {
        if let Ok(end) = scene(take).await {
            return Ok(end);
        }
    }
    scene(limit).await
}
// ANCHOR_END: takes

// ANCHOR: timed
/// The same scene, with a stopwatch.
fn timed<A, T>(
    scene: impl AsyncFn(A) -> T,
) -> impl AsyncFn(A) -> (T, Duration) {
    async move |argument| {
        let start = Instant::now();
        (scene(argument).await, start.elapsed())
    }
}
// ANCHOR_END: timed

// ANCHOR: scene
async fn kiss(take: u32) -> Result<&'static str, Cut> {
    sleep(10 * MINUTE).await;
    if take < 3 { Err(Cut) } else { Ok("a kiss") }
}
// ANCHOR_END: scene

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    // A function.
    assert!(takes(2, kiss).await.is_err());

    // ANCHOR: closure
    // A closure that borrows what is around it, across its awaits.
    // ANCHOR: shoot
    let mut reel = Vec::new();
    let end = takes(3, async |take| {
        let end = kiss(take).await;
        reel.push(take);
        end
    });
    // ANCHOR_END: shoot
    let end = end.await?;
    println!("{end}, after the takes {reel:?}");
    assert_eq!(reel, [1, 2, 3]);
    // ANCHOR_END: closure

    // ANCHOR: decorated
    // One decorator around the other.
    let kiss = timed(async |limit| takes(limit, kiss).await);
    let (end, time) = kiss(3).await;
    println!("{}, in {} min", end?, time.as_secs() / 60);
    assert_eq!(time, 30 * MINUTE);
    // ANCHOR_END: decorated
    Ok(())
}
// ANCHOR_END: all
