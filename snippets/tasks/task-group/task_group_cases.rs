// ANCHOR: all
use std::future::Future;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
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

// ANCHOR: cases
static THERE: Mutex<Vec<&str>> = Mutex::new(Vec::new());

async fn climb(party: &'static str) -> Result<()> {
    let words: Vec<_> = party.split(' ').collect();
    sleep(Duration::from_secs(words[1].parse()?)).await;
    assert!(!party.ends_with("bug"), "{party}");
    ensure!(!party.ends_with("lost"), "{party}");
    THERE.lock().expect("never poisoned").push(words[0]);
    Ok(())
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    for case in [
        "base 0, jay 1, owl 2",
        "base 3, jay 1, owl 2",
        "base 0, jay 1 lost, owl 2",
        "base 0, jay 1, owl 2 lost, tit 3",
        "base 0, jay 1 lost, owl 1 lost",
        "base 0, jay 1 bug, owl 2",
        "base 0, jay 1 bug, owl 1 lost, tit 1",
        "base 3, jay 1 lost",
        "base 1 lost, jay 2",
        "base 1 lost, jay 1 lost",
    ] {
        let start = Instant::now();
        let (base, parties) = case.split_once(", ").expect("a party");
        let day = task_group(async |group| {
            parties.split(", ").try_for_each(|p| group.spawn(climb(p)))?;
            climb(base).await
        });
        let text = format!("{:?}", day.await.err());
        let failed = case.split(", ").filter(|party| text.contains(party));
        let failed = failed.filter_map(|party| party.split(' ').next());
        let failed = failed.collect::<Vec<_>>().join(" ");
        assert_eq!(Handle::current().metrics().num_alive_tasks(), 0);
        let there = THERE.lock().expect("never poisoned").split_off(0);
        let (there, time) = (there.join(" "), start.elapsed());
        println!("{case} → {time:?}, there: [{there}], failed: [{failed}]");
    }
}
// ANCHOR_END: cases
// ANCHOR_END: all
