// ANCHOR: all
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use futures::future::{BoxFuture, FutureExt};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{sleep, timeout};

// ANCHOR: group
/// Puts tasks into a group: for its body, and for its tasks.
#[derive(Clone)]
struct Group(UnboundedSender<BoxFuture<'static, Result<()>>>);

impl Group {
    fn spawn<F>(&self, task: F) -> Result<()>
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        self.0.send(task.boxed()).ok().context("the group takes no more")
    }
}

/// What failed, in that order. A panic is a `JoinError`.
#[derive(Debug, thiserror::Error)]
#[error("{} failed, first: {}", .0.len(), .0[0])]
struct Failed(Vec<anyhow::Error>);

fn failure(end: Result<Result<()>, JoinError>) -> Option<anyhow::Error> {
    end.map_or_else(|end| end.is_panic().then(|| end.into()), Result::err)
}

async fn task_group<T>(
    body: impl AsyncFnOnce(Group) -> Result<T>,
) -> Result<T, Failed> {
    let (sender, mut new) = unbounded_channel();
    let mut body = Box::pin(body(Group(sender.clone())));
    let (mut tasks, mut value, mut failed) = (JoinSet::new(), None, vec![]);
    // ANCHOR: wait
    while failed.is_empty()
        && (value.is_none() || !new.is_empty() || !tasks.is_empty())
    {
        tokio::select! {
            biased;
            Some(task) = new.recv() => drop(tasks.spawn(task)),
            Some(end) = tasks.join_next() => failed.extend(failure(end)),
            end = &mut body, if value.is_none() => {
                value = end.map_err(|error| failed.push(error)).ok();
            }
        }
    }
    // ANCHOR_END: wait
    // ANCHOR: stop
    drop((body, new)); // it is cancelled, and `spawn` refuses
    tasks.abort_all();
    while let Some(end) = tasks.join_next().await {
        failed.extend(failure(end));
    }
    // ANCHOR_END: stop
    value.filter(|_| failed.is_empty()).ok_or(Failed(failed))
}
// ANCHOR_END: group

const HOUR: Duration = Duration::from_secs(3600);

/// Holds a rope until it ends; `Arc` counts them.
async fn climb(_rope: Arc<()>) -> Result<()> {
    sleep(9 * HOUR).await;
    Ok(())
}

// ANCHOR: limit
#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let ropes = Arc::new(());
    let used = || Arc::strong_count(&ropes) - 1;

    // ANCHOR: broken
    // Broken: the limit drops the group. It aborts its tasks, and is gone.
    let day = task_group(async |group| {
        group.spawn(climb(ropes.clone()))?;
        group.spawn(climb(ropes.clone()))
    });
    assert!(timeout(HOUR, day).await.is_err());
    println!("a limit around the group: {} ropes in use", used());
    assert_eq!(used(), 2);

    let day = task_group(async |group| -> Result<()> {
        group.spawn(climb(ropes.clone()))?;
        sleep(HOUR).await;
        panic!("a bug in the body")
    });
    assert!(AssertUnwindSafe(day).catch_unwind().await.is_err());
    println!("a panic of the body: {} rope in use", used());
    assert_eq!(used(), 1);
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: the limit is an error of a task, like any other.
    let day = task_group(async |group| {
        group.spawn(timeout(HOUR, climb(ropes.clone())).map(|end| end?))?;
        group.spawn(climb(ropes.clone()))
    });
    let failed = day.await.expect_err("nine hours are too many");
    println!("a limit inside: {} ropes in use, {failed}", used());
    assert_eq!(used(), 0);
    // ANCHOR_END: fixed
}
// ANCHOR_END: limit
// ANCHOR_END: all
