// ANCHOR: all
use std::future::Future;
use std::time::Duration;

use anyhow::{Context, Result};
use futures::future::{BoxFuture, FutureExt};
use tokio::sync::mpsc::{UnboundedSender, channel, unbounded_channel};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep};

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

// ANCHOR: more
#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<()> {
    let start = Instant::now();
    let (later, found) = task_group(async |group: Group| {
        let (say, mut said) = channel(8);
        for valley in ["east", "west"] {
            let (group_too, say) = (group.clone(), say.clone());
            group.spawn(async move {
                sleep(Duration::from_secs(3600)).await;
                // There are tracks: a task of the task follows them.
                group_too.spawn(async move {
                    sleep(Duration::from_secs(1800)).await;
                    Ok(say.send(valley).await?)
                })
            })?;
        }
        drop(say); // or the loop below has no end
        let mut found = Vec::new();
        while let Some(valley) = said.recv().await {
            let minutes = start.elapsed().as_secs() / 60;
            println!("after {minutes} min: found in the {valley}");
            found.push(valley);
        }
        Ok((group, found))
    })
    .await?;
    assert_eq!(found, ["east", "west"]);
    assert_eq!(start.elapsed(), Duration::from_secs(5400));

    let late = later.spawn(async { Ok(()) }).expect_err("it is over");
    println!("afterwards: {late}");
    Ok(())
}
// ANCHOR_END: more
// ANCHOR_END: all
