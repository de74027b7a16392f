// ANCHOR: all
use std::future::Future;
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};
use tokio::time::{Instant, sleep};

const MINUTE: Duration = Duration::from_secs(60);

// ANCHOR: timed
/// The same scene, with a stopwatch, and for a task as well.
fn timed<A, T, F>(
    scene: impl Fn(A) -> F,
) -> impl Fn(A) -> BoxFuture<'static, (T, Duration)>
where
    F: Future<Output = T> + Send + 'static,
{
    move |argument| {
        let scene = scene(argument);
        let clocked = async move {
            let start = Instant::now();
            (scene.await, start.elapsed())
        };
        clocked.boxed()
    }
}
// ANCHOR_END: timed

async fn kiss(takes: u32) -> &'static str {
    sleep(takes * 10 * MINUTE).await;
    "a kiss"
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let kiss = timed(kiss);
    let second_unit = tokio::spawn(async move { kiss(3).await });
    let (end, time) = second_unit.await?;
    println!("{end}, in a task, in {} min", time.as_secs() / 60);
    assert_eq!(time, 30 * MINUTE);
    Ok(())
}
// ANCHOR_END: all
