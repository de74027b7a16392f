// ANCHOR: all
// ANCHOR: keep
use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time;

// ANCHOR: errors
/// The errors of the tasks that have failed, by the index of the task. A panic
/// is a `JoinError`, and a timeout is an `Elapsed`.
type Errors = BTreeMap<usize, anyhow::Error>;

/// No task has succeeded.
#[derive(Debug, thiserror::Error)]
#[error("no success: {}", list(.0))]
struct NoSuccess(Errors);

fn list(errors: &Errors) -> String {
    let errors = errors.iter().map(|(index, e)| format!("{index}: {e:#}"));
    errors.collect::<Vec<_>>().join("; ")
}
// ANCHOR_END: errors

/// Runs all tasks, and returns the first value, with the errors of the others.
/// The first success aborts the others. All have ended when it returns.
async fn first_success<T, F>(
    tasks: impl IntoIterator<Item = F>,
    timeout: Duration,
) -> Result<(T, Errors), NoSuccess>
where
    T: Send + 'static,
    F: Future<Output = anyhow::Result<T>> + Send + 'static,
{
    // ANCHOR: spawn
    let (mut group, mut indices) = (JoinSet::new(), HashMap::new());
    for (index, task) in tasks.into_iter().enumerate() {
        let task = async move { time::timeout(timeout, task).await? };
        indices.insert(group.spawn(task).id(), index);
    }
    // ANCHOR_END: spawn
    let (mut winner, mut errors) = (None, Errors::new());
    // ANCHOR: wait
    while let Some(end) = group.join_next_with_id().await {
        match end {
            Ok((_, Ok(value))) => {
                winner.get_or_insert(value);
                group.abort_all(); // the loop sees them end
            }
            Ok((id, Err(error))) => {
                errors.insert(indices[&id], error);
            }
            Err(error) if error.is_panic() || winner.is_none() => {
                errors.insert(indices[&error.id()], error.into());
            }
            Err(_) => {} // aborted, above
        }
    }
    // ANCHOR_END: wait
    match winner {
        Some(value) => Ok((value, errors)),
        None => Err(NoSuccess(errors)),
    }
}
// ANCHOR_END: keep

// Carriers that are asked for a parcel, and what must come of it.
use std::future::pending;
use std::sync::{Arc, mpsc};
use std::thread;

use anyhow::bail;
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::runtime::Builder;
use tokio::task::JoinError;
use tokio::time::error::Elapsed;
use tokio::time::{Instant, sleep};

const SECOND: Duration = Duration::from_secs(1);

/// A connection that is in use until it is dropped; `Arc` counts them.
type Conn = Arc<()>;

/// Asks a carrier, which replies after some seconds.
async fn track(
    seconds: u32,
    reply: &'static str,
    _conn: Conn,
) -> anyhow::Result<&'static str> {
    sleep(seconds * SECOND).await;
    match reply {
        "404 Not Found" => bail!(reply),
        "panic" => panic!("a comma in the number"),
        "silence" => pending().await,
        status => Ok(status),
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let conn = Conn::default();
    let used = || Arc::strong_count(&conn) - 1;
    let track = |(seconds, reply)| track(seconds, reply, Arc::clone(&conn));

    // ANCHOR: call
    let carriers = [(9, "in transit"), (1, "404 Not Found"), (4, "delivered")];
    let tasks = carriers.map(track);
    let (status, errors) = first_success(tasks, 5 * SECOND).await?;
    println!("the parcel is {status}");
    for (index, error) in errors {
        println!("carrier {index}: {error:#}");
    }
    // ANCHOR_END: call
    assert_eq!((status, used()), ("delivered", 0));

    // The carriers; and then the seconds, the status, and which errors.
    for (case, carriers, seconds, status, errors) in [
        (
            "an error is first",
            vec![(1, "404 Not Found"), (2, "delivered"), (3, "in transit")],
            2,
            Some("delivered"),
            "0: 404 Not Found",
        ),
        (
            "a panic is first",
            vec![(3, "in transit"), (1, "panic"), (2, "delivered")],
            2,
            Some("delivered"),
            "1: a panic",
        ),
        (
            "all at once",
            vec![
                (1, "404 Not Found"),
                (1, "delivered"),
                (1, "404 Not Found"),
                (1, "panic"),
                (1, "in transit"),
            ],
            1,
            Some("delivered"),
            "0: 404 Not Found; 2: 404 Not Found; 3: a panic",
        ),
        (
            "one is silent",
            vec![(0, "silence"), (2, "delivered")],
            2,
            Some("delivered"),
            "",
        ),
        (
            "none succeeds",
            vec![(0, "silence"), (2, "404 Not Found"), (1, "panic")],
            5,
            None,
            "0: a timeout; 1: 404 Not Found; 2: a panic",
        ),
        ("no task", vec![], 0, None, ""),
    ] {
        let start = Instant::now();
        let tasks = carriers.into_iter().map(track);
        let result = first_success(tasks, 5 * SECOND).await;
        assert_eq!((start.elapsed(), used()), (seconds * SECOND, 0));
        let (found, failed) = match result {
            Ok((status, errors)) => (Some(status), errors),
            Err(error) => {
                let text = error.to_string();
                assert!(text.starts_with("no success: "), "{text}");
                let expected = case == "none succeeds";
                assert_eq!(text.contains("; 1: 404 Not Found; 2: "), expected);
                (None, error.0)
            }
        };
        let failed = words(&failed);
        let first = found.unwrap_or("none");
        println!("{case}: {first} after {seconds} s, errors: [{failed}]");
        assert_eq!((found, failed.as_str()), (status, errors));
    }

    let tasks = [(1, "404 Not Found"), (3, "delivered")].map(track);
    let race = first_success(tasks, 5 * SECOND);
    assert!(time::timeout(2 * SECOND, race).await.is_err());
    println!("cancelled: {} not yet aborted", used());
    assert_eq!(used(), 1);
    sleep(SECOND / 1000).await;
    assert_eq!(used(), 0, "it is aborted");
    shutdown()
}

/// The runtime ends while another thread waits for the task.
fn shutdown() -> anyhow::Result<()> {
    let runtime = Builder::new_multi_thread().enable_time().build()?;
    let (running_tx, running_rx) = mpsc::channel();
    let task = async move {
        running_tx.send(())?;
        pending().await
    };
    let race = first_success([task], 60 * SECOND);
    let race: BoxFuture<Result<((), Errors), NoSuccess>> = race.boxed();
    let handle = runtime.handle().clone();
    let caller = thread::spawn(move || handle.block_on(race));
    running_rx.recv()?;
    runtime.shutdown_background();
    let end = caller.join().expect("no panic");
    let NoSuccess(errors) = end.expect_err("it is cancelled");
    let error = errors[&0].downcast_ref().map(JoinError::is_cancelled);
    assert_eq!(error, Some(true));
    println!("the runtime ends: errors: [0: cancelled]");
    Ok(())
}

/// How each task has failed, in a word.
fn words(errors: &Errors) -> String {
    let words = errors.iter().map(|(index, error)| {
        if error.is::<JoinError>() {
            assert!(error.to_string().contains("comma"));
            format!("{index}: a panic")
        } else if error.is::<Elapsed>() {
            format!("{index}: a timeout")
        } else {
            format!("{index}: {error}")
        }
    });
    words.collect::<Vec<_>>().join("; ")
}
// ANCHOR_END: all
