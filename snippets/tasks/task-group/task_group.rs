// ANCHOR: all
// ANCHOR: keep
use std::future::Future;

use anyhow::Result;
use tokio::task::JoinSet;

/// Why tasks failed, in that order. A panic is a `JoinError`.
#[derive(Debug, thiserror::Error)]
#[error("{} failed, first: {:#}", .0.len(), .0[0])]
struct Failed(Vec<anyhow::Error>);

/// Runs all tasks, and returns their values in the order of the tasks. The
/// first error or panic aborts the others. All have ended when it returns.
async fn run_all<T, F>(
    tasks: impl IntoIterator<Item = F>,
) -> Result<Vec<T>, Failed>
where
    T: Send + 'static,
    F: Future<Output = Result<T>> + Send + 'static,
{
    let mut group = JoinSet::new();
    // ANCHOR: spawn
    for (index, task) in tasks.into_iter().enumerate() {
        group.spawn(async move { task.await.map(|value| (index, value)) });
    }
    // ANCHOR_END: spawn
    let (mut values, mut errors) = (Vec::new(), Vec::new());
    while let Some(end) = group.join_next().await {
        match end {
            Ok(Ok(value)) => values.push(value),
            Ok(Err(error)) => errors.push(error),
            Err(error) if error.is_panic() => errors.push(error.into()),
            Err(_) => {} // aborted, below
        }
        if !errors.is_empty() {
            group.abort_all();
        }
    }
    if !errors.is_empty() {
        return Err(Failed(errors));
    }
    // ANCHOR: values
    values.sort_by_key(|(index, _)| *index);
    Ok(values.into_iter().map(|(_, value)| value).collect())
    // ANCHOR_END: values
}
// ANCHOR_END: keep

// Parcels that are tracked, and what must come of it.
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use futures::FutureExt;
use tokio::time::{Instant, error::Elapsed, sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

/// A connection that is in use until it is dropped; `Arc` counts them.
type Conn = Arc<()>;

/// Parcel 13 is unknown, and parcel 99 has a bug.
async fn track(id: u32, seconds: u32, _conn: Conn) -> Result<String> {
    sleep(seconds * SECOND).await;
    match id {
        13 => bail!("parcel 13 is unknown"),
        99 => panic!("parcel 99"),
        _ => Ok(format!("parcel {id} is in transit")),
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<()> {
    let conn = Conn::default();
    let used = || Arc::strong_count(&conn) - 1;
    let track = |(id, seconds)| track(id, seconds, Arc::clone(&conn));

    // ANCHOR: call
    let statuses = run_all([(7, 3), (8, 1)].map(track)).await?;
    assert_eq!(statuses[0], "parcel 7 is in transit");
    // ANCHOR_END: call

    // ANCHOR: fails
    let failed = run_all([(7, 3), (13, 1), (8, 2)].map(track)).await;
    // ANCHOR_END: fails
    assert!(failed.is_err());

    // The parcels, and then: seconds, and how many fail.
    for (case, tasks, seconds, failed) in [
        ("none", vec![], 0, 0),
        ("all succeed", vec![(1, 3), (2, 1), (3, 2)], 3, 0),
        ("one fails", vec![(1, 3), (13, 1), (3, 2)], 1, 1),
        ("two fail at once", vec![(13, 1), (2, 3), (13, 1)], 1, 2),
        ("one fails later", vec![(13, 2), (13, 1), (3, 1)], 1, 1),
        ("one panics", vec![(1, 3), (99, 1)], 1, 1),
        ("all panic", vec![(99, 1), (99, 1)], 1, 2),
    ] {
        let start = Instant::now();
        let result = run_all(tasks.iter().copied().map(track)).await;
        println!("{case}: {seconds} s, {failed} failed");
        assert_eq!(start.elapsed(), seconds * SECOND);
        assert_eq!(used(), 0, "no task runs on");
        match result {
            Ok(statuses) => {
                let all = tasks.iter();
                let all =
                    all.map(|(id, _)| format!("parcel {id} is in transit"));
                assert_eq!(statuses, all.collect::<Vec<_>>());
                assert_eq!(failed, 0);
            }
            Err(error) => {
                assert_eq!(error.0.len(), failed);
                let text = match case.contains("panic") {
                    true => "panicked with message \"parcel 99\"",
                    false => "failed, first: parcel 13 is unknown",
                };
                assert!(error.to_string().contains(text), "{error}");
            }
        }
    }

    let tasks = [(7, 3), (8, 3)];
    // ANCHOR: broken
    let result = timeout(SECOND, run_all(tasks.map(track))).await;
    // ANCHOR_END: broken
    assert!(result.is_err(), "the limit has passed");
    println!("a limit around them: {} still connected", used());
    assert_eq!(used(), 2);
    sleep(Duration::from_millis(1)).await;
    assert_eq!(used(), 0, "they are aborted");

    let start = Instant::now();
    // ANCHOR: fixed
    let limited = |task| timeout(SECOND, track(task)).map(|end| end?);
    let failed = run_all(tasks.map(limited)).await;
    // ANCHOR_END: fixed
    println!("a limit for each: {} still connected", used());
    assert_eq!((used(), start.elapsed()), (0, SECOND));
    assert!(failed.is_err_and(|error| error.0[0].is::<Elapsed>()));
    Ok(())
}
// ANCHOR_END: all
