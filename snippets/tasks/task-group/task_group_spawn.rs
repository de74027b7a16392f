// ANCHOR: all
// ANCHOR: keep
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Weak};

use anyhow::{Context, Result, anyhow};
use futures::{FutureExt, StreamExt, channel::mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Why tasks failed, in that order.
#[derive(Debug, thiserror::Error)]
#[error("{} failed, first: {:#}", .0.len(), .0[0])]
struct Failed(Vec<anyhow::Error>);

/// Each task of a group holds it. The group ends when none does.
struct Member {
    token: CancellationToken,
    errors_tx: mpsc::UnboundedSender<anyhow::Error>,
    _parent: Option<Arc<Member>>,
}

/// Spawns tasks into a group. The default belongs to no group.
#[derive(Clone, Default)]
struct TaskGroup(Weak<Member>);

impl TaskGroup {
    /// The task returns `None` if it fails, or if the group is cancelled.
    fn spawn<T: Send + 'static>(
        &self,
        task: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<JoinHandle<Option<T>>> {
        let member = self.0.upgrade().context("the group has ended")?;
        Ok(tokio::spawn(run(task, member)))
    }

    /// Runs a group within this one: a body, and what is spawned. The first
    /// error or panic cancels the others. All have ended when it returns.
    async fn group<T>(
        &self,
        body: impl AsyncFnOnce(TaskGroup) -> Result<T>,
    ) -> Result<T, Failed> {
        let (errors_tx, errors_rx) = mpsc::unbounded();
        let guard = CancellationToken::new().drop_guard(); // if it is dropped
        let (token, _parent) = (guard.token().clone(), self.0.upgrade());
        let member = Arc::new(Member { token, errors_tx, _parent });
        let group = TaskGroup(Arc::downgrade(&member));
        let body = run(body(group), member);
        let errors = errors_rx.inspect(|_| guard.token().cancel()).collect();
        let (value, errors): (_, Vec<_>) = tokio::join!(biased; body, errors);
        value.filter(|_| errors.is_empty()).ok_or(Failed(errors))
    }
}

/// `task` stands first, so that it is dropped before `member`.
async fn run<T>(
    task: impl Future<Output = Result<T>>,
    member: Arc<Member>,
) -> Option<T> {
    let task = async {
        tokio::select! {
            biased;
            () = member.token.cancelled() => Ok(None),
            value = task => value.map(Some),
        }
    };
    let end = AssertUnwindSafe(task).catch_unwind().await;
    let end = end.unwrap_or_else(|_| Err(anyhow!("a task panicked")));
    // Nothing receives it if the group is dropped.
    end.map_err(|error| member.errors_tx.unbounded_send(error)).ok()?
}
// ANCHOR_END: keep

// The same cases as in Python, and then those of Rust alone.
use std::sync::Mutex;
use std::time::Duration;

use anyhow::bail;
use futures::future::BoxFuture;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

/// The body and the tasks of a group, each with its seconds and what it does
/// then. The Python program asserts the same lines.
const CASES: &str = "\
body 0, a 1, b 2: 2s, ended: [body a b], failed: []
body 3, a 1, b 2: 3s, ended: [a b body], failed: []
body 0, a 1 fails, b 2: 1s, ended: [body], failed: [a]
body 0, a 1, b 2 fails, c 3: 2s, ended: [body a], failed: [b]
body 0, a 1 fails, b 1 fails: 1s, ended: [body], failed: [a b]
body 0, a 1 panics, b 2: 1s, ended: [body], failed: [a]
body 0, a 1 panics, b 1 fails, c 1: 1s, ended: [body c], failed: [a b]
body 3, a 1 fails: 1s, ended: [], failed: [a]
body 1 fails, a 2: 1s, ended: [], failed: [body]
body 1 fails, a 1 fails: 1s, ended: [], failed: [body]
body 1 panics, a 2: 1s, ended: [], failed: [body]
body 1, a 3 cancelled, b 2: 2s, ended: [body b], failed: []
body 0, a 1 spawns b 2: 3s, ended: [body a b], failed: []
body 0, a 1 spawns b 2 fails, c 4: 3s, ended: [body a], failed: [b]
body 3 fails, a 2 repeats: 3s, ended: [a], failed: [body]
body 0, a 1 nests b 2: 3s, ended: [body b a], failed: []
body 0, a 1 nests b 2 fails, c 4: 3s, ended: [body], failed: [b]
body 0, a 1 nests b 1 nests c 3, d 3 fails: 3s, ended: [body], failed: [d]
";

type Ended = Arc<Mutex<Vec<&'static str>>>;

fn work(
    group: TaskGroup,
    ended: Ended,
    task: &'static str,
) -> BoxFuture<'static, Result<()>> {
    async move {
        let words: Vec<_> = task.splitn(4, ' ').collect();
        sleep(words[1].parse::<u32>()? * SECOND).await;
        match words[2..] {
            ["fails"] => bail!("{task}"),
            ["panics"] => panic!("{task}"),
            ["repeats"] => {
                group.spawn(work(group.clone(), ended.clone(), task))?;
            }
            ["spawns", other] => {
                group.spawn(work(group.clone(), ended.clone(), other))?;
            }
            ["nests", other] => {
                let body = async |inner: TaskGroup| {
                    inner.spawn(work(inner.clone(), ended.clone(), other))
                };
                group.group(body).await?;
            }
            _ => {}
        }
        ended.lock().expect("no holder panics").push(words[0]);
        Ok(())
    }
    .boxed()
}

async fn outcome(case: &'static str) -> String {
    let (start, ended) = (Instant::now(), Ended::default());
    let (body, tasks) = case.split_once(", ").expect("a task");
    let root = TaskGroup::default();
    let result = root.group(async |group: TaskGroup| {
        let mut cancelled = Vec::new();
        for task in tasks.split(", ") {
            let work = work(group.clone(), ended.clone(), task);
            let handle = group.spawn(work)?;
            if task.ends_with("cancelled") {
                cancelled.push(handle);
            }
        }
        work(group, ended.clone(), body).await?;
        cancelled.iter().for_each(JoinHandle::abort);
        Ok(())
    });
    let text = format!("{:?}", result.await.err());
    assert_eq!(Handle::current().metrics().num_alive_tasks(), 0);
    let failed = case.split(", ").filter_map(|task| {
        let task = task.rsplit(" nests ").next()?;
        let task = task.rsplit(" spawns ").next()?;
        let panics = task.ends_with("panics");
        let found = if panics { "a task panicked" } else { task };
        text.contains(found).then(|| task.split(' ').next())?
    });
    let failed = failed.collect::<Vec<_>>().join(" ");
    let ended = ended.lock().expect("no holder panics").join(" ");
    let time = start.elapsed();
    format!("{case}: {time:?}, ended: [{ended}], failed: [{failed}]")
}

/// The parcels of a carrier, and the notifications that were sent.
#[derive(Clone)]
struct Carrier(&'static [u32], Arc<Mutex<Vec<u32>>>);

impl Carrier {
    async fn list(&self) -> Result<&'static [u32]> {
        sleep(SECOND).await;
        Ok(self.0)
    }

    async fn notify(self, id: u32) -> Result<()> {
        sleep(2 * SECOND).await;
        self.1.lock().expect("no holder panics").push(id);
        Ok(())
    }
}

// ANCHOR: call
/// Spawns a task for each parcel of a carrier, and counts the parcels.
async fn notify_all(group: TaskGroup, carrier: Carrier) -> Result<usize> {
    let parcels = carrier.list().await?;
    for id in parcels {
        group.spawn(carrier.clone().notify(*id))?;
    }
    Ok(parcels.len())
}

/// Returns when all notifications have been sent.
async fn notify_both(north: Carrier, south: Carrier) -> Result<usize> {
    let body = async |group: TaskGroup| {
        let north = group.spawn(notify_all(group.clone(), north))?;
        let south = group.spawn(notify_all(group.clone(), south))?;
        let counts = north.await?.zip(south.await?);
        counts.map(|(north, south)| north + south).context("cancelled")
    };
    Ok(TaskGroup::default().group(body).await?)
}
// ANCHOR_END: call

/// A task that ends after a time, and counts as one until it is dropped.
async fn hold(_count: Arc<()>, seconds: u32, fails: bool) -> Result<u32> {
    sleep(seconds * SECOND).await;
    if fails { bail!("a task fails") } else { Ok(seconds) }
}

async fn cases() -> Result<()> {
    let sent = Arc::default();
    let north = Carrier(&[1, 2], Arc::clone(&sent));
    let south = Carrier(&[3], Arc::clone(&sent));
    let count = notify_both(north, south).await?;
    assert_eq!(count, 3);
    assert_eq!(*sent.lock().expect("no holder panics"), [1, 2, 3]);
    println!("{count} parcels, and all notifications are sent");

    let root = TaskGroup::default();
    let count = Arc::new(());
    let mut handles = Vec::new();
    let body = async |group: TaskGroup| {
        for (seconds, fails) in [(1, false), (2, true), (3, false)] {
            let task = hold(Arc::clone(&count), seconds, fails);
            handles.push(group.spawn(task)?);
        }
        let aborted = group.spawn(hold(Arc::clone(&count), 3, false))?;
        aborted.abort();
        handles.push(aborted);
        Ok(())
    };
    let error = root.group(body).await.expect_err("a task fails");
    assert_eq!(error.to_string(), "1 failed, first: a task fails");
    assert_eq!(Arc::strong_count(&count), 1);
    let mut ends = Vec::new();
    for handle in handles {
        ends.push(handle.await.map_err(|error| error.is_cancelled()));
    }
    println!("ended, failed, cancelled, aborted: {ends:?}");
    assert_eq!(ends, [Ok(Some(1)), Ok(None), Ok(None), Err(true)]);

    let late = root.group(async |group: TaskGroup| Ok(group)).await?;
    let error = late.spawn(async { Ok(()) }).expect_err("it is too late");
    println!("too late: {error}");
    assert_eq!(error.to_string(), "the group has ended");

    let body = async |group: TaskGroup| {
        group.spawn(hold(Arc::clone(&count), 3, false))?;
        group.spawn(hold(Arc::clone(&count), 3, false))?;
        Ok(())
    };
    assert!(timeout(SECOND, root.group(body)).await.is_err());
    let running = Arc::strong_count(&count) - 1;
    println!("a limit around the group: {running} not yet cancelled");
    assert_eq!(running, 2);
    sleep(SECOND / 1000).await;
    assert_eq!(Arc::strong_count(&count), 1);
    Ok(())
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<()> {
    for line in CASES.lines() {
        let (case, _) = line.split_once(": ").expect("an outcome");
        println!("{}", outcome(case).await);
        for _ in 0..10 {
            assert_eq!(outcome(case).await, line);
        }
    }
    cases().await
}
// ANCHOR_END: all
