// ANCHOR: all
// ANCHOR: keep
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::mpsc::{RecvTimeoutError::Timeout, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};
use std::time::Duration;

use tokio::runtime::{RuntimeMetrics, worker_index};
use tracing::warn;

// ANCHOR: looks
/// A worker is blocked if so many looks in a row find it unchanged.
const LOOKS: u32 = 4;
// ANCHOR_END: looks

type Polled = Option<(Arc<str>, ThreadId)>;

/// The name of what each worker polls at this moment, and on which thread.
static POLLED: [Mutex<Polled>; 1024] = [const { Mutex::new(None) }; 1024];

fn set_polled(polled: Polled) -> Polled {
    let slot = POLLED.get(worker_index()?)?;
    std::mem::replace(&mut slot.lock().expect("no panic inside"), polled)
}

struct Restore(Polled);

impl Drop for Restore {
    fn drop(&mut self) {
        set_polled(self.0.take()); // after a panic, too
    }
}

/// Gives a future a name, for the detector.
async fn watch<F: Future>(name: impl Into<Arc<str>>, future: F) -> F::Output {
    let name = name.into();
    let mut future = pin!(future);
    poll_fn(|cx| {
        let here = thread::current().id();
        let outer = set_polled(Some((Arc::clone(&name), here)));
        // After `block_in_place` the worker is on another thread.
        let _restore = Restore(outer.filter(|(_, thread)| *thread == here));
        future.as_mut().poll(cx)
    })
    .await
}

// ANCHOR: detect
/// Logs each worker that is blocked for the threshold, and what it polls, and
/// again when the time has doubled. Ends when the sender is dropped.
fn detect(metrics: RuntimeMetrics, threshold: Duration) -> Sender<()> {
    let (stop_tx, stop_rx) = channel();
    // ANCHOR_END: detect
    thread::spawn(move || {
        let mut workers = vec![((0, Duration::ZERO), 0); metrics.num_workers()];
        // ANCHOR: look
        while stop_rx.recv_timeout(threshold / LOOKS) == Err(Timeout) {
            for (worker, (before, looks)) in workers.iter_mut().enumerate() {
                let parks = metrics.worker_park_unpark_count(worker);
                let now = (parks, metrics.worker_total_busy_duration(worker));
                let idle = parks % 2 == 1;
                *looks = if idle || now != *before { 0 } else { *looks + 1 };
                *before = now;
                // ANCHOR_END: look
                // ANCHOR: report
                if *looks >= LOOKS && looks.is_power_of_two() {
                    let slot = POLLED.get(worker);
                    let polled = slot.and_then(|it| it.lock().ok()?.clone());
                    let task = polled.map_or("unknown".into(), |it| it.0);
                    let blocked = threshold / LOOKS * *looks;
                    warn!(worker, %task, ?blocked, "worker is blocked");
                }
                // ANCHOR_END: report
            }
        }
    });
    stop_tx
}
// ANCHOR_END: keep

// A service with one worker, so that all cases share it, and its log.
use std::future::pending;
use std::io;
use std::panic::resume_unwind;
use std::sync::mpsc::Receiver;
use std::time::Instant;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::get;
use reqwest::Client;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Handle};
use tokio::task::{block_in_place, spawn_blocking, yield_now};
use tokio::time::sleep;

const THRESHOLD: Duration = Duration::from_millis(100);

// ANCHOR: route
async fn watch_route(
    path: MatchedPath,
    request: Request,
    next: Next,
) -> Response {
    watch(path.as_str(), next.run(request)).await
}

fn app() -> Router<Log> {
    Router::new()
        .route("/labels/{id}", get(label))
        .route_layer(from_fn(watch_route))
        .route("/quotes/{id}", get(label)) // added later: not watched
}
// ANCHOR_END: route

/// A handler that blocks.
async fn label(State(log): State<Log>) -> String {
    log.blocks().await
}

#[derive(Clone)]
struct Log {
    lines: Arc<Mutex<Receiver<String>>>,
    times: Arc<Mutex<Vec<Duration>>>,
}

impl Log {
    fn line(&self, timeout: Duration) -> Option<String> {
        let lines = self.lines.lock().expect("no panic inside");
        lines.recv_timeout(timeout).ok()
    }

    /// Blocks its thread until that is logged. Returns the end of the line.
    fn block(&self) -> String {
        let start = Instant::now();
        let line = self.line(Duration::from_secs(30)).expect("a line");
        let time = start.elapsed();
        assert!(time >= THRESHOLD / 2, "{time:?}");
        self.times.lock().expect("no panic inside").push(time);
        from_task(&line).to_owned()
    }

    /// The worker waits for work first, so that it is not blocked before.
    async fn blocks(self) -> String {
        sleep(Duration::from_millis(1)).await;
        self.block()
    }

    /// Blocks its thread, and nothing is logged.
    fn block_unseen(&self) {
        assert_eq!(self.line(3 * THRESHOLD), None);
    }
}

/// Blocks when it is dropped, and sends the end of the line.
struct Label(Log, Sender<String>);

impl Drop for Label {
    fn drop(&mut self) {
        self.1.send(self.0.block()).expect("the case waits");
    }
}

/// Sends each line of the log.
#[derive(Clone)]
struct Writer(Sender<String>);

impl io::Write for Writer {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line).into_owned();
        self.0.send(text).map_err(io::Error::other)?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Receives each line that is logged.
fn log_lines() -> Receiver<String> {
    let (log_tx, log_rx) = channel();
    let writer = Writer(log_tx);
    let format = tracing_subscriber::fmt().with_ansi(false).without_time();
    format.with_writer(move || writer.clone()).init();
    log_rx
}

/// The end of a line, from the name of the task on.
fn from_task(line: &str) -> &str {
    let at = line.find("task=").expect("a name");
    line[at..].trim_end()
}

fn main() -> anyhow::Result<()> {
    let lines = Arc::new(Mutex::new(log_lines()));
    let log = Log { lines, times: Arc::default() };
    let mut builder = Builder::new_multi_thread();
    let runtime = builder.worker_threads(1).enable_all().build()?;
    runtime.block_on(seen(&log))?;
    runtime.block_on(not_seen(&log))?;
    runtime.block_on(in_place(&log))?;

    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let _detector = detect(Handle::current().metrics(), THRESHOLD);
        let line = watch("main", log.clone().blocks()).await;
        println!("main of one thread: {line}");
        assert_eq!(line, "task=main blocked=100ms");
    });
    let times = log.times.lock().expect("no panic inside");
    assert!(times.iter().any(|time| *time < 3 * THRESHOLD), "{times:?}");
    // Most cases begin after a look, so their fifth look logs them.
    let mean = times.iter().sum::<Duration>() / times.len() as u32;
    assert!(mean > THRESHOLD * 21 / 20, "{times:?}");
    Ok(())
}

/// Each case blocks until the detector has logged it.
async fn seen(log: &Log) -> anyhow::Result<()> {
    let render = log.clone().blocks();
    // ANCHOR: call
    let _detector = detect(Handle::current().metrics(), THRESHOLD);
    let task = tokio::spawn(watch("render", render));
    // ANCHOR_END: call
    let line = task.await?;
    println!("a task: {line}");
    assert_eq!(line, "task=render blocked=100ms");

    let line = tokio::spawn(log.clone().blocks()).await?;
    println!("no name: {line}");
    assert_eq!(line, "task=unknown blocked=100ms");

    let (barcode, rest) = (log.clone(), log.clone());
    let barcode = watch("barcode", barcode.blocks());
    let nested = async move { (barcode.await, rest.block()) };
    let lines = tokio::spawn(watch("render", nested)).await?;
    println!("nested: {}, then {}", lines.0, lines.1);
    assert_eq!(lines.0, "task=barcode blocked=100ms");
    assert_eq!(lines.1, "task=render blocked=200ms");

    // Without the message and the backtrace: to write them may block, too.
    let panics = async { resume_unwind(Box::new("no such label")) };
    let end = tokio::spawn(watch("render", panics)).await;
    assert!(end.is_err_and(|error| error.is_panic()));
    let line = tokio::spawn(log.clone().blocks()).await?;
    println!("after a panic: {line}");
    assert_eq!(line, "task=unknown blocked=100ms");

    let (dropped_tx, dropped_rx) = channel();
    let label = Label(log.clone(), dropped_tx);
    let task = tokio::spawn(watch("render", async {
        let _label = label;
        pending::<()>().await
    }));
    sleep(Duration::from_millis(1)).await;
    task.abort();
    let line = dropped_rx.recv()?;
    println!("a slow drop: {line}");
    assert_eq!(line, "task=unknown blocked=100ms");

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let app = app().with_state(log.clone());
    let server = tokio::spawn(async { axum::serve(listener, app).await });
    let client = Client::builder().no_proxy().build()?;
    for (path, task) in [("labels", "/labels/{id}"), ("quotes", "unknown")] {
        let response = client.get(format!("{url}/{path}/7")).send().await?;
        let line = response.text().await?;
        println!("/{path}/7: {line}");
        assert_eq!(line, format!("task={task} blocked=100ms"));
    }
    server.abort();
    Ok(())
}

/// These take longer than the threshold, and are not logged.
async fn not_seen(log: &Log) -> anyhow::Result<()> {
    let detector = detect(Handle::current().metrics(), THRESHOLD);
    log.block_unseen();
    println!("main, beside the worker: not logged");

    let blocks = log.clone();
    spawn_blocking(move || blocks.block_unseen()).await?;
    println!("spawn_blocking: not logged");

    // Each wakes the other one, so the worker is never idle.
    let end = Instant::now() + 3 * THRESHOLD;
    let busy = || async move {
        while Instant::now() < end {
            yield_now().await;
        }
    };
    let (left, right) = (tokio::spawn(busy()), tokio::spawn(busy()));
    left.await?;
    right.await?;
    log.block_unseen();
    println!("many short polls: not logged");

    drop(detector);
    let blocks = log.clone();
    tokio::spawn(async move { blocks.block_unseen() }).await?;
    println!("without a detector: not logged");
    Ok(())
}

/// A task in `block_in_place`, and what the worker polls meanwhile.
async fn in_place(log: &Log) -> anyhow::Result<()> {
    let _detector = detect(Handle::current().metrics(), THRESHOLD);
    let (ready_tx, ready_rx) = channel();
    let (end_tx, end_rx) = channel();
    let blocks = log.clone();
    let task = tokio::spawn(watch("in place", async {
        block_in_place(move || {
            blocks.block_unseen();
            ready_tx.send(()).expect("the case waits");
            end_rx.recv()
        })
    }));
    ready_rx.recv()?;
    let (ended_tx, ended_rx) = channel();
    let other = tokio::spawn(watch("other", async move {
        end_tx.send(())?;
        anyhow::Ok(ended_rx.recv()?)
    }));
    task.await??;
    ended_tx.send(())?;
    other.await??;
    println!("block_in_place: not logged");

    let line = tokio::spawn(log.clone().blocks()).await?;
    println!("after it: {line}");
    assert_eq!(line, "task=unknown blocked=100ms");
    Ok(())
}
// ANCHOR_END: all
