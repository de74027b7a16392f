// ANCHOR: all
use std::future::Future;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures::future::{BoxFuture, FutureExt};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
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

// ANCHOR: rope
struct Rope(&'static str);

impl Drop for Rope {
    fn drop(&mut self) {
        println!("{}: off the rope", self.0);
    }
}
// ANCHOR_END: rope

// ANCHOR: climb
async fn climb(party: &'static str, hours: u64) -> Result<()> {
    let _rope = Rope(party);
    sleep(Duration::from_secs(3600 * hours)).await;
    match party {
        "south" => bail!("no bridge in the south"),
        _ => Ok(()),
    }
}
// ANCHOR_END: climb

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let start = Instant::now();
    // ANCHOR: day
    let day = task_group(async |group| {
        group.spawn(climb("north", 3))?;
        group.spawn(climb("south", 1))?;
        group.spawn(climb("west", 2))
    });
    // ANCHOR_END: day
    // ANCHOR: failed
    let failed = day.await.expect_err("there is no bridge");
    println!("after {} h: {failed}", start.elapsed().as_secs() / 3600);
    assert_eq!(failed.0[0].to_string(), "no bridge in the south");
    // ANCHOR_END: failed
    // ANCHOR: down
    assert_eq!(start.elapsed(), Duration::from_secs(3600));
    assert_eq!(Handle::current().metrics().num_alive_tasks(), 0);
    // ANCHOR_END: down
}
// ANCHOR_END: all
