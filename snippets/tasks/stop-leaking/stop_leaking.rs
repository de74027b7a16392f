// ANCHOR: all
// ANCHOR: keep
use std::future::Future;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDrop, TaskTracker};

// ANCHOR: tasks
/// Owns background tasks. When it is dropped, it aborts them.
#[derive(Default)]
struct Tasks {
    token: CancellationToken, // asks the tasks to end
    tracker: TaskTracker,     // waits for them
    running: Mutex<Vec<(&'static str, AbortOnDrop)>>,
}
// ANCHOR_END: tasks

impl Tasks {
    // ANCHOR: spawn
    /// Starts a task, and logs once how it ends. It should end soon after its
    /// token is cancelled. An error after the shutdown has begun.
    fn spawn<F: Future<Output = Result<()>> + Send + 'static>(
        &self,
        name: &'static str,
        task: impl FnOnce(CancellationToken) -> F + Send + 'static,
    ) -> Result<()> {
        let (token, runtime) = (self.token.clone(), Handle::current());
        let mut running = self.running();
        ensure!(!token.is_cancelled(), "{name}: the shutdown has begun");
        let task = runtime.spawn(async move { task(token).await });
        running.push((name, AbortOnDrop::new(task.abort_handle())));
        let logged = self.tracker.track_future(Self::log_end(name, task));
        runtime.spawn(logged);
        Ok(())
    }
    // ANCHOR_END: spawn

    // ANCHOR: log_end
    async fn log_end(name: &str, task: JoinHandle<Result<()>>) {
        match task.await {
            Ok(Ok(())) => tracing::info!("{name}: ended"),
            Ok(Err(error)) => tracing::error!("{name}: {error:#}"),
            Err(error) if error.is_panic() => {
                tracing::error!("{name}: {error}")
            }
            Err(_) => tracing::warn!("{name}: aborted"),
        }
    }
    // ANCHOR_END: log_end

    // ANCHOR: shut_down
    /// Asks the tasks to end, and waits `drain` for them. Aborts the others,
    /// and waits `last`. Returns the names of those that still run.
    async fn shut_down(&self, drain: Duration, last: Duration) -> Vec<&str> {
        self.tracker.close();
        let running = self.running(); // no task is started from here on
        self.token.cancel();
        drop(running);
        if timeout(drain, self.tracker.wait()).await.is_err() {
            self.running().iter().for_each(|(_, task)| task.abort());
            _ = timeout(last, self.tracker.wait()).await;
        }
        self.running().iter().map(|(name, _)| *name).collect()
    }
    // ANCHOR_END: shut_down

    /// The tasks that have not ended.
    fn running(&self) -> MutexGuard<'_, Vec<(&'static str, AbortOnDrop)>> {
        let mut running = self.running.lock().expect("no holder panics");
        running.retain(|(_, task)| !task.is_finished());
        running
    }
}
// ANCHOR_END: keep

// A service with background tasks, and what must become of them.
use std::future::{Ready, pending};
use std::io;
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, mpsc};

use anyhow::{Context, anyhow};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::time::{Instant, interval, sleep};

const SECOND: Duration = Duration::from_secs(1);

/// Counts the rounds of `refresh` that have begun, and those that are done.
#[derive(Clone, Default)]
struct Quotes(Arc<Mutex<(u32, u32)>>);

impl Quotes {
    async fn load(&self) -> Result<()> {
        self.0.lock().expect("no holder panics").0 += 1;
        sleep(2 * SECOND).await;
        self.0.lock().expect("no holder panics").1 += 1;
        Ok(())
    }

    fn rounds(&self) -> (u32, u32) {
        *self.0.lock().expect("no holder panics")
    }
}

// ANCHOR: refresh
/// Loads the quotes every minute, and ends after a whole round.
async fn refresh(quotes: Quotes, token: CancellationToken) -> Result<()> {
    let mut interval = interval(Duration::from_secs(60));
    while token.run_until_cancelled(interval.tick()).await.is_some() {
        quotes.load().await?;
    }
    Ok(())
}
// ANCHOR_END: refresh

async fn track(parcel: u32) -> Result<()> {
    sleep(SECOND).await;
    match parcel {
        13 => Err(anyhow!("404 Not Found")).context("parcel 13"),
        99 => panic!("parcel 99 has no events"),
        _ => Ok(()),
    }
}

/// The lines of the log since the last call.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn take(&self) -> String {
        let bytes = mem::take(&mut *self.0.lock().expect("no holder panics"));
        String::from_utf8(bytes).expect("text")
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut log = self.0.lock().expect("no holder panics");
        log.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Shuts them down, and prints how long it takes and which still run.
async fn shut_down(case: &str, tasks: &Tasks, log: &Log) -> (u64, String) {
    let start = Instant::now();
    let left = tasks.shut_down(5 * SECOND, SECOND).await;
    let (seconds, lines) = (start.elapsed().as_secs(), log.take());
    print!("{case}: {seconds} s, {left:?}\n{lines}");
    assert!(left.is_empty());
    (seconds, lines)
}

/// Awaits a future while another thread gives work to the runtime. Without
/// work, the thread that a task blocks may be the one that ran the timers.
fn block_on<T>(runtime: &Runtime, future: impl Future<Output = T>) -> T {
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(Relaxed) {
                runtime.spawn(async {});
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        let value = runtime.block_on(future);
        ended.store(true, Relaxed);
        value
    })
}

/// A task that has no await after it has begun, until it is released.
fn blocks() -> Result<()> {
    let mut builder = Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).enable_all().build()?;
    let (begun_tx, begun) = oneshot::channel();
    let (released_tx, released) = mpsc::channel::<()>();
    let tasks = Tasks::default();
    let ms = Duration::from_millis(10);
    let left = block_on(&runtime, async {
        let render = async move |_| {
            begun_tx.send(()).expect("it is awaited");
            Ok(released.recv()?)
        };
        tasks.spawn("render", render)?;
        begun.await?;
        anyhow::Ok(tasks.shut_down(ms, ms).await)
    })?;
    println!("blocks its thread: {left:?}");
    assert_eq!(left, ["render"]);
    drop(released_tx);
    while !block_on(&runtime, tasks.shut_down(ms, ms)).is_empty() {}
    Ok(())
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<()> {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .without_time()
        .with_target(false)
        .with_writer(move || writer.clone());
    let _subscriber = tracing::subscriber::set_default(subscriber.finish());
    let quotes = Quotes::default();
    let closing = async || sleep(61 * SECOND).await;

    // ANCHOR: ends
    // ANCHOR: call
    let tasks = Tasks::default();
    let refreshed = quotes.clone();
    tasks.spawn("refresh", |token| refresh(refreshed, token))?;
    closing().await; // your service: it ends at SIGTERM
    let left = tasks.shut_down(5 * SECOND, SECOND).await; // before `main` ends
    if !left.is_empty() {
        tracing::error!("still running: {left:?}");
    }
    // ANCHOR_END: call
    // ANCHOR_END: ends
    let lines = log.take();
    print!("in a round: {left:?}\n{lines}");
    assert_eq!(lines, " INFO refresh: ended\n");
    assert_eq!(quotes.rounds(), (2, 2), "it stops between two rounds");

    // Each end is logged when it comes, once.
    let tasks = Tasks::default();
    tasks.spawn("track 7", |_| track(7))?;
    tasks.spawn("track 13", |_| track(13))?;
    tasks.spawn("track 99", |_| track(99))?;
    tasks.spawn("closure", |_| -> Ready<Result<()>> {
        panic!("before the first await")
    })?;
    assert_eq!(tasks.running().len(), 4);
    sleep(2 * SECOND).await;
    let lines = log.take();
    print!("how they end: {} run\n{lines}", tasks.running().len());
    assert_eq!(tasks.running().len(), 0);
    for line in [
        " INFO track 7: ended\n",
        "ERROR track 13: parcel 13: 404 Not Found\n",
        "panicked with message \"parcel 99 has no events\"\n",
        "panicked with message \"before the first await\"\n",
    ] {
        assert!(lines.contains(line), "{line}");
    }
    assert_eq!(lines.lines().count(), 4);
    assert_eq!(shut_down("none", &tasks, &log).await, (0, String::new()));

    // One takes longer than the others, and one does not look at its token.
    let tasks = Tasks::default();
    let slow = async |token: CancellationToken| {
        token.cancelled().await;
        sleep(3 * SECOND).await;
        Ok(())
    };
    tasks.spawn("slow", slow)?;
    let (seconds, _) = shut_down("slow", &tasks, &log).await;
    assert_eq!(seconds, 3);
    let tasks = Tasks::default();
    tasks.spawn("slow", slow)?;
    tasks.spawn("deaf", |_| pending())?;
    sleep(SECOND).await;
    let (seconds, lines) = shut_down("does not look", &tasks, &log).await;
    assert_eq!(seconds, 5);
    assert_eq!(lines, " INFO slow: ended\n WARN deaf: aborted\n");

    let refused = tasks.spawn("late", |_| track(7)).expect_err("too late");
    println!("too late: {refused}");
    assert!(tasks.running().is_empty());

    // The caller gives up, and another one shuts them down.
    let tasks = Tasks::default();
    tasks.spawn("slow", slow)?;
    sleep(SECOND).await;
    let given_up = timeout(SECOND, tasks.shut_down(5 * SECOND, SECOND)).await;
    assert!(given_up.is_err());
    let (seconds, _) = shut_down("called again", &tasks, &log).await;
    assert_eq!(seconds, 2);

    let tasks = Tasks::default();
    tasks.spawn("deaf", |_| pending())?;
    sleep(SECOND).await;
    drop(tasks);
    sleep(SECOND).await;
    let lines = log.take();
    print!("dropped:\n{lines}");
    assert_eq!(lines, " WARN deaf: aborted\n");

    let tasks = Tasks::default();
    // ANCHOR: broken
    tokio::spawn(track(13));
    // ANCHOR_END: broken
    sleep(2 * SECOND).await;
    println!("not awaited: {:?}", log.take());
    // ANCHOR: fixed
    tasks.spawn("track", |_| track(13))?;
    // ANCHOR_END: fixed
    sleep(2 * SECOND).await;
    let lines = log.take();
    print!("owned:\n{lines}");
    assert_eq!(lines, "ERROR track: parcel 13: 404 Not Found\n");
    std::thread::spawn(blocks).join().expect("no panic")
}
// ANCHOR_END: all
