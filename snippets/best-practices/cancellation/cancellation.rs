// ANCHOR: all
// ANCHOR: keep
use std::collections::HashMap;
use std::future::Future;
use std::time::Duration;

use anyhow::Result;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};

// ANCHOR: end
/// How a task has ended.
#[derive(Debug)]
enum End<T> {
    Done(T),
    Failed(anyhow::Error),
    Panicked(JoinError),
    Aborted,      // dropped at an await
    StillRunning, // has not reached an await
}
// ANCHOR_END: end

type Ends<T> = Vec<(String, End<T>)>;
/// Tasks that are stopped together. If it is dropped, they are aborted.
struct Tasks<T> {
    token: CancellationToken,
    set: JoinSet<Result<T>>,
    names: HashMap<Id, String>, // of what `set` holds
    ended: Ends<T>,
    _guard: DropGuard, // cancels the token
}

impl<T: Send + 'static> Tasks<T> {
    fn new(token: CancellationToken) -> Self {
        let (set, names, ended) = Default::default();
        let _guard = token.clone().drop_guard();
        Tasks { token, set, names, ended, _guard }
    }

    // ANCHOR: spawn
    fn spawn<F>(&mut self, name: &str, task: F)
    where
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let task = self.set.spawn(task);
        self.names.insert(task.id(), name.to_owned());
    }
    // ANCHOR_END: spawn

    // ANCHOR: stop
    /// Cancels the token, waits for `grace`, aborts the rest, and waits for
    /// `last`. What is still running then can be stopped by another call.
    async fn stop(&mut self, grace: Duration, last: Duration) -> Ends<T> {
        self.token.cancel();
        if timeout(grace, self.join()).await.is_err() {
            self.set.abort_all();
            _ = timeout(last, self.join()).await;
        }
        let running = self.names.values().cloned();
        let running = running.map(|name| (name, End::StillRunning));
        self.ended.drain(..).chain(running).collect()
    }
    // ANCHOR_END: stop

    async fn join(&mut self) {
        while let Some(end) = self.set.join_next_with_id().await {
            let (id, end) = match end {
                Ok((id, Ok(value))) => (id, End::Done(value)),
                Ok((id, Err(error))) => (id, End::Failed(error)),
                Err(end) if end.is_panic() => (end.id(), End::Panicked(end)),
                Err(end) => (end.id(), End::Aborted),
            };
            let name = self.names.remove(&id).expect("named by `spawn`");
            self.ended.push((name, end)); // before the next await
        }
    }
}
// ANCHOR_END: keep

// Carriers whose events are stored, and how their tasks must end.
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::mpsc::{self, RecvTimeoutError};

use anyhow::bail;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, pause, resume, sleep};

const SECOND: Duration = Duration::from_secs(1);
const GRACE: Duration = Duration::from_secs(5);
const LAST: Duration = Duration::from_secs(1);
const SILENCE: Duration = Duration::from_secs(2);

/// An event every so many seconds. To store it takes two seconds.
#[derive(Clone)]
struct Carrier {
    every: u32,
    stored: Arc<AtomicU32>,
}

impl Carrier {
    fn new(every: u32) -> Self {
        Carrier { every, stored: Arc::default() }
    }

    async fn next(&self) -> Result<&'static str> {
        sleep(self.every * SECOND).await;
        Ok("scanned")
    }

    async fn store(&self, _event: &str) -> Result<()> {
        sleep(2 * SECOND).await;
        self.stored.fetch_add(1, SeqCst);
        Ok(())
    }
}

// ANCHOR: follow
/// Stores events until the token is cancelled.
async fn follow(carrier: Carrier, token: CancellationToken) -> Result<u32> {
    let mut stored = 0;
    while let Some(event) = token.run_until_cancelled(carrier.next()).await {
        carrier.store(event?).await?; // the token does not drop this
        stored += 1;
    }
    Ok(stored)
}
// ANCHOR_END: follow

/// Sets a flag when it is dropped.
struct OnDrop(Arc<AtomicBool>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

/// Panics when it is dropped.
struct Broken;

impl Drop for Broken {
    fn drop(&mut self) {
        panic!("the connection cannot be closed");
    }
}

fn words(end: &End<u32>) -> String {
    match end {
        End::Done(stored) => format!("done, {stored} stored"),
        End::Failed(error) => format!("failed, {error}"),
        End::Panicked(error) => {
            assert!(error.is_panic());
            "panicked".to_owned()
        }
        End::Aborted => "aborted".to_owned(),
        End::StillRunning => "still running".to_owned(),
    }
}

/// By name, because tasks may end in any order.
fn sorted(mut ends: Ends<u32>) -> Vec<String> {
    ends.sort_by(|(one, _), (other, _)| one.cmp(other));
    let line = |(name, end): &_| format!("{name}: {}", words(end));
    ends.iter().map(line).collect()
}

async fn fail_at_once() -> Result<u32> {
    bail!("no such carrier")
}

async fn fail(token: CancellationToken) -> Result<u32> {
    token.cancelled().await;
    bail!("the database is gone")
}

async fn panic(token: CancellationToken) -> Result<u32> {
    token.cancelled().await;
    panic!("a comma in the address")
}

async fn ignore() -> Result<u32> {
    pending().await
}

async fn panic_in_drop() -> Result<u32> {
    let _conn = Broken;
    pending().await
}

// ANCHOR: each_end
/// A task for each way to end. The token is cancelled after seven seconds.
async fn each_end() {
    let mut tasks = Tasks::new(CancellationToken::new());
    let (waits, stores) = (Carrier::new(4), Carrier::new(6));
    tasks.spawn("waits", follow(waits, tasks.token.clone()));
    tasks.spawn("stores", follow(stores, tasks.token.clone()));
    tasks.spawn("has failed", fail_at_once());
    tasks.spawn("fails", fail(tasks.token.clone()));
    tasks.spawn("panics", panic(tasks.token.clone()));
    tasks.spawn("ignores it", ignore());
    tasks.spawn("its Drop panics", panic_in_drop());
    sleep(7 * SECOND).await;

    let start = Instant::now();
    let ends = tasks.stop(GRACE, LAST).await;
    let ends = sorted(ends);
    println!("{}", ends.join("\n"));
    println!("all: after {:?}", start.elapsed());
    assert_eq!(start.elapsed(), GRACE);
    let expected = [
        "fails: failed, the database is gone",
        "has failed: failed, no such carrier",
        "ignores it: aborted",
        "its Drop panics: panicked",
        "panics: panicked",
        "stores: done, 1 stored",
        "waits: done, 1 stored",
    ];
    assert_eq!(ends, expected);
    assert!(tasks.stop(GRACE, LAST).await.is_empty(), "each was returned");
}
// ANCHOR_END: each_end

async fn in_time() {
    let mut tasks = Tasks::new(CancellationToken::new());
    let carrier = Carrier::new(6);
    let stored = Arc::clone(&carrier.stored);
    tasks.spawn("stores", follow(carrier, tasks.token.clone()));
    sleep(7 * SECOND).await;
    let start = Instant::now();
    let ends = sorted(tasks.stop(GRACE, LAST).await);
    println!("in time: after {:?}", start.elapsed());
    assert_eq!((start.elapsed(), stored.load(SeqCst)), (SECOND, 1));
    assert_eq!(ends, ["stores: done, 1 stored"]);

    // The token is cancelled before the task begins.
    tasks.spawn("late", follow(Carrier::new(0), tasks.token.clone()));
    let ends = sorted(tasks.stop(GRACE, LAST).await);
    println!("after the stop: {}", ends[0]);
    assert_eq!(ends, ["late: done, 0 stored"]);
}

/// The parent stops two groups, and a group does not stop its parent.
async fn parent() {
    let shutdown = CancellationToken::new();
    let mut first = Tasks::new(shutdown.child_token());
    let mut second = Tasks::new(shutdown.child_token());
    for tasks in [&mut first, &mut second] {
        tasks.spawn("waits", follow(Carrier::new(4), tasks.token.clone()));
    }
    assert_eq!(first.stop(GRACE, LAST).await.len(), 1);
    assert!(!shutdown.is_cancelled() && !second.token.is_cancelled());
    shutdown.cancel();
    sleep(SECOND).await; // it ends without `stop`
    assert_eq!(second.set.len(), 1, "its result waits");
    let ends = second.stop(Duration::ZERO, Duration::ZERO).await;
    println!("the parent: {}", sorted(ends)[0]);
}

/// The caller gives up after two seconds, and calls again.
async fn caller() {
    let mut tasks = Tasks::new(CancellationToken::new());
    tasks.spawn("waits", follow(Carrier::new(4), tasks.token.clone()));
    tasks.spawn("ignores it", ignore());
    let stop = tasks.stop(GRACE, LAST);
    assert!(timeout(2 * SECOND, stop).await.is_err());
    assert_eq!(tasks.set.len(), 1, "it is not aborted");
    let ends = sorted(tasks.stop(GRACE, LAST).await);
    println!("called again: {}", ends.join("; "));
    assert_eq!(ends, ["ignores it: aborted", "waits: done, 0 stored"]);
}

async fn dropped() {
    let mut tasks = Tasks::<u32>::new(CancellationToken::new());
    let dropped = Arc::new(AtomicBool::new(false));
    let guard = OnDrop(Arc::clone(&dropped));
    tasks.spawn("ignores it", async move {
        let _guard = guard;
        pending().await
    });
    let token = tasks.token.clone();
    drop(tasks);
    assert!(token.is_cancelled() && !dropped.load(SeqCst));
    sleep(SECOND).await;
    println!("dropped: {}", dropped.load(SeqCst));
    assert!(dropped.load(SeqCst));
}

// ANCHOR: broken_halfway
async fn drop_all(carrier: Carrier, token: CancellationToken) -> Result<u32> {
    let follow = async {
        loop {
            let event = carrier.next().await?;
            carrier.store(event).await?; // may be dropped halfway
        }
    };
    token.run_until_cancelled(follow).await.unwrap_or(Ok(0))
}
// ANCHOR_END: broken_halfway

async fn store_halfway() {
    let carrier = Carrier::new(4);
    let stored = Arc::clone(&carrier.stored);
    let mut tasks = Tasks::new(CancellationToken::new());
    tasks.spawn("halfway", drop_all(carrier, tasks.token.clone()));
    sleep(5 * SECOND).await;
    let ends = sorted(tasks.stop(GRACE, LAST).await);
    println!("{}", ends[0]);
    assert_eq!(
        (ends[0].as_str(), stored.load(SeqCst)),
        ("halfway: done, 0 stored", 0,)
    );
}

/// Rows of a file. The next one is there when the test sends it.
type Rows = mpsc::Receiver<u32>;

static ROWS: AtomicU32 = AtomicU32::new(0);

/// While it is set, the database does not store row 3.
static IS_SLOW: AtomicBool = AtomicBool::new(false);

/// Stores a row, in code that does not await. How many it has stored.
fn store_row(row: u32) -> u32 {
    while row == 3 && IS_SLOW.load(SeqCst) {
        std::thread::sleep(Duration::from_millis(1));
    }
    ROWS.fetch_add(1, SeqCst);
    1
}

// ANCHOR: broken_import
fn spawn_import_all(tasks: &mut Tasks<u32>, rows: Rows) {
    let import = spawn_blocking(move || rows.iter().map(store_row).sum());
    tasks.spawn("import", async { Ok(import.await?) });
}
// ANCHOR_END: broken_import

// ANCHOR: fixed_import
fn spawn_import(tasks: &mut Tasks<u32>, rows: Rows) {
    let token = tasks.token.clone();
    let import = tasks.set.spawn_blocking(move || {
        let mut stored = 0;
        while !token.is_cancelled() {
            match rows.recv_timeout(SILENCE) {
                Ok(row) => stored += store_row(row),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        Ok(stored)
    });
    tasks.names.insert(import.id(), "import".to_owned());
}
// ANCHOR_END: fixed_import

/// Code on a thread, by the real clock: the paused one waits for threads.
async fn on_a_thread() -> Result<()> {
    resume();
    let soon = Duration::from_millis(10);
    let mut tasks = Tasks::new(CancellationToken::new());
    let (rows_tx, rows) = mpsc::sync_channel(0);
    spawn_import_all(&mut tasks, rows);
    let ends = sorted(tasks.stop(soon, GRACE).await);
    for row in 1..=3 {
        rows_tx.send(row)?;
    }
    drop(rows_tx);
    while ROWS.load(SeqCst) < 3 {
        sleep(soon).await;
    }
    println!("not in the set: {}, then {:?} rows are stored", ends[0], ROWS);
    assert_eq!(ends, ["import: aborted"]);

    let mut tasks = Tasks::new(CancellationToken::new());
    let (rows_tx, rows) = mpsc::sync_channel(0);
    ROWS.store(0, SeqCst);
    IS_SLOW.store(true, SeqCst);
    spawn_import(&mut tasks, rows);
    for row in 1..=3 {
        rows_tx.send(row)?;
    }
    let ends = sorted(tasks.stop(soon, soon).await);
    println!("in the set: {}", ends[0]);
    assert_eq!(ends, ["import: still running"]);
    assert_eq!(sorted(tasks.stop(soon, soon).await), ends, "again");
    IS_SLOW.store(false, SeqCst);
    let ends = sorted(tasks.stop(GRACE, LAST).await);
    println!("released: {}", ends[0]);
    assert_eq!(ends, ["import: done, 3 stored"]);
    assert!(tasks.stop(soon, soon).await.is_empty());
    pause();
    Ok(())
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<()> {
    let shutdown = CancellationToken::new();
    let carrier = Carrier::new(4);
    let stop = shutdown.clone();
    let signal = tokio::spawn(async move {
        sleep(5 * SECOND).await;
        stop.cancel();
    });
    // ANCHOR: call
    let mut tasks = Tasks::new(shutdown.child_token());
    tasks.spawn("carrier 7", follow(carrier, tasks.token.clone()));
    shutdown.cancelled().await;
    let (grace, last) = (Duration::from_secs(5), Duration::from_secs(1));
    for (name, end) in tasks.stop(grace, last).await {
        match end {
            End::Done(stored) => tracing::info!(name, stored),
            other => tracing::error!(name, ?other, "stopped"),
        }
    }
    // ANCHOR_END: call
    signal.await?;

    each_end().await;
    in_time().await;
    parent().await;
    caller().await;
    dropped().await;
    store_halfway().await;
    on_a_thread().await
}
// ANCHOR_END: all
