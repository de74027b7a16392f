// ANCHOR: all
// ANCHOR: keep
use std::{future::Future, time::Duration};

use anyhow::{Result, ensure};
use tokio::{runtime::Handle, task::JoinHandle, time};
use tokio_util::task::{TaskTracker, task_tracker::TaskTrackerToken};

/// A connection. Its `Drop` releases what needs no await.
trait Close: Send + 'static {
    fn close(self) -> impl Future<Output = Result<()>> + Send;
}

/// Closes connections in tasks, and waits for all of them.
#[derive(Clone)]
struct Closer {
    tracker: TaskTracker,
    runtime: Handle,
    timeout: Duration,
}

/// A connection in use. When the guard is dropped, a task closes it.
struct Guard<C: Close> {
    conn: Option<C>,
    closer: Closer,
    _token: TaskTrackerToken, // `shut_down` waits for it
}

impl Closer {
    // ANCHOR: with
    /// If the body and `close` fail, returns the body's error.
    async fn with_connection<C: Close, T>(
        &self,
        connect: impl Future<Output = Result<C>>,
        body: impl AsyncFnOnce(&mut C) -> Result<T>,
    ) -> Result<T> {
        let _token = self.tracker.token(); // before the check
        ensure!(!self.tracker.is_closed(), "shutting down");
        let conn = Some(connect.await?); // no await from here to the guard
        let mut guard = Guard { conn, closer: self.clone(), _token };
        let result = body(guard.conn.as_mut().expect("it is open")).await;
        let closing = guard.start_closing().expect("it is open");
        let closed = closing.await.unwrap_or_else(|error| Err(error.into()));
        result.and_then(|value| closed.map(|()| value))
    }
    // ANCHOR_END: with

    // ANCHOR: shut_down
    /// Refuses new connections, and waits until all are closed.
    async fn shut_down(&self) {
        self.tracker.close();
        self.tracker.wait().await;
    }
    // ANCHOR_END: shut_down
}

impl<C: Close> Guard<C> {
    // ANCHOR: start
    /// A task, because the caller may be dropped while it waits.
    fn start_closing(&mut self) -> Option<JoinHandle<Result<()>>> {
        let conn = self.conn.take()?;
        let Closer { tracker, runtime, timeout } = self.closer.clone();
        let close = async move { time::timeout(timeout, conn.close()).await };
        let task = runtime.spawn(close);
        let log = async move {
            let closed = async { task.await?? }.await; // a panic? a timeout?
            closed.inspect_err(|error| tracing::error!("not closed: {error:#}"))
        };
        Some(tracker.spawn_on(log, &runtime))
    }
    // ANCHOR_END: start
}

impl<C: Close> Drop for Guard<C> {
    fn drop(&mut self) {
        self.start_closing(); // nothing, if it has been called
    }
}
// ANCHOR_END: keep

// A carrier that counts its sessions, and what must come of them.
use std::future::pending;
use std::io::{Read, Seek};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread;

use anyhow::bail;
use tokio::runtime::Builder;
use tokio::task::JoinError;
use tokio::time::{Instant, sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);
const TIMEOUT: &str = "deadline has elapsed";

#[derive(Clone, Default)]
struct Carrier {
    sessions: Arc<AtomicU32>,
    sockets: Arc<AtomicU32>,
}

struct Session {
    carrier: Carrier,
    close: &'static str,
}

/// Takes a second, and then ends as its words say.
async fn take(what: &str, how: &str) -> Result<()> {
    sleep(SECOND).await;
    match how {
        "fails" => bail!("{what} fails"),
        "panics" => panic!("{what} panics"),
        "hangs" => pending().await,
        _ => Ok(()),
    }
}

impl Carrier {
    async fn connect(self, close: &'static str) -> Result<Session> {
        take("connect", "").await?;
        self.sessions.fetch_add(1, Relaxed);
        self.sockets.fetch_add(1, Relaxed);
        Ok(Session { carrier: self, close })
    }

    fn counts(&self) -> (u32, u32) {
        (self.sessions.load(Relaxed), self.sockets.load(Relaxed))
    }
}

impl Session {
    async fn track(&mut self, how: &str) -> Result<&'static str> {
        take("track", how).await?;
        Ok("in transit")
    }

    async fn log_out(&self) -> Result<()> {
        take("close", self.close).await?;
        self.carrier.sessions.fetch_sub(1, Relaxed);
        Ok(())
    }
}

// ANCHOR: close
impl Close for Session {
    async fn close(self) -> Result<()> {
        self.log_out().await
    }
}
// ANCHOR_END: close

impl Drop for Session {
    fn drop(&mut self) {
        self.carrier.sockets.fetch_sub(1, Relaxed);
    }
}

fn closer() -> Closer {
    let (tracker, runtime) = (TaskTracker::new(), Handle::current());
    Closer { tracker, runtime, timeout: 5 * SECOND }
}

async fn track(
    closer: Closer,
    carrier: Carrier,
    body: &'static str,
    close: &'static str,
) -> Result<&'static str> {
    let body = async |session: &mut Session| session.track(body).await;
    closer.with_connection(carrier.connect(close), body).await
}

/// How it ends if its task is aborted after a time, and when; then it is shut
/// down: when that ends, and how many sessions the carrier has left.
async fn outcome(
    body: &'static str,
    close: &'static str,
    abort: f64,
) -> (String, f64, f64, u32) {
    let (closer, carrier) = (closer(), Carrier::default());
    let start = Instant::now();
    let tracked = track(closer.clone(), carrier.clone(), body, close);
    let mut task = tokio::spawn(tracked);
    let abort = Duration::from_secs_f64(abort);
    let end = match timeout(abort, &mut task).await {
        Ok(end) => end,
        Err(_) => {
            task.abort();
            task.await
        }
    };
    let end = match end {
        Ok(Ok(status)) => status.to_owned(),
        Ok(Err(error)) if error.is::<JoinError>() => "close panics".to_owned(),
        Ok(Err(error)) => error.to_string(),
        Err(error) if error.is_panic() => "a panic".to_owned(),
        Err(_) => "cancelled".to_owned(),
    };
    let ended = start.elapsed().as_secs_f64();
    assert!(timeout(60 * SECOND, closer.shut_down()).await.is_ok());
    let closed = start.elapsed().as_secs_f64();
    let (sessions, sockets) = carrier.counts();
    assert_eq!(sockets, 0);
    (end, ended, closed, sessions)
}

/// One is in use, and one is connecting, when the shutdown begins.
async fn shut_down_waits() {
    let (closer, carrier) = (closer(), Carrier::default());
    let start = Instant::now();
    let task = || tokio::spawn(track(closer.clone(), carrier.clone(), "", ""));
    let first = task();
    sleep(SECOND * 3 / 2).await;
    let second = task();
    sleep(SECOND / 2).await;
    closer.shut_down().await;
    let closed = start.elapsed();
    assert_eq!((closed, carrier.counts()), (SECOND * 9 / 2, (0, 0)));
    for task in [first, second] {
        let status = task.await.expect("no panic").expect("a status");
        assert_eq!(status, "in transit");
    }
    let late = task().await.expect("no panic").expect_err("too late");
    let closed = closed.as_secs_f64();
    println!("in use: shut down: {closed} s; then: {late}");
    assert_eq!(late.to_string(), "shutting down");
    assert_eq!(carrier.counts(), (0, 0));
}

/// The future is dropped on a thread that has no runtime.
async fn on_a_thread() {
    let (closer, carrier) = (closer(), Carrier::default());
    let tracked = track(closer.clone(), carrier.clone(), "hangs", "");
    let mut tracked = Box::pin(tracked);
    assert!(timeout(3 * SECOND, &mut tracked).await.is_err());
    assert_eq!(carrier.counts(), (1, 1));
    thread::spawn(move || drop(tracked)).join().expect("no panic");
    closer.shut_down().await;
    println!("on a thread: sessions, sockets: {:?}", carrier.counts());
    assert_eq!(carrier.counts(), (0, 0));
}

/// The runtime ends while a task uses a connection, and another closes one.
fn the_runtime_ends(carrier: &Carrier) -> Result<()> {
    let mut builder = Builder::new_current_thread();
    let runtime = builder.enable_time().start_paused(true).build()?;
    runtime.block_on(async {
        for body in ["hangs", ""] {
            let tracked = track(closer(), carrier.clone(), body, "hangs");
            tokio::spawn(tracked);
        }
        sleep(3 * SECOND).await;
    });
    assert_eq!(carrier.counts(), (2, 2));
    Ok(())
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<()> {
    let mut log = tempfile::tempfile()?;
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(Arc::new(log.try_clone()?));
    let _subscriber = tracing::subscriber::set_default(subscriber.finish());
    let carrier = Carrier::default();
    let connect = carrier.clone().connect("");

    // ANCHOR: call
    let closer = Closer {
        tracker: TaskTracker::new(),
        runtime: Handle::current(),
        timeout: Duration::from_secs(5),
    };
    let body = async |session: &mut Session| session.track("parcel 7").await;
    let result = closer.with_connection(connect, body).await;
    closer.shut_down().await; // before `main` ends, also after an error
    let status = result?;
    // ANCHOR_END: call
    assert_eq!((status, carrier.counts()), ("in transit", (0, 0)));

    // ANCHOR: cancelled
    let (end, ..) = outcome("hangs", "", 2.5).await;
    // ANCHOR_END: cancelled
    assert_eq!(end, "cancelled");

    // What the body does and `close` does, when the task is aborted, and then:
    // the outcome, when it ends, when it is shut down, how many are left.
    for (case, body, close, abort, outcome, ended, closed, left) in [
        ("success", "", "", 9.0, "in transit", 3.0, 3.0, 0),
        ("error", "fails", "", 9.0, "track fails", 3.0, 3.0, 0),
        ("panic", "panics", "", 9.0, "a panic", 2.0, 3.0, 0),
        ("cancelled", "hangs", "", 2.5, "cancelled", 2.5, 3.5, 0),
        ("cancelled in connect", "", "", 0.5, "cancelled", 0.5, 0.5, 0),
        ("cancelled in close", "", "", 2.5, "cancelled", 2.5, 3.0, 0),
        ("close fails", "", "fails", 9.0, "close fails", 3.0, 3.0, 1),
        ("close panics", "", "panics", 9.0, "close panics", 3.0, 3.0, 1),
        ("close hangs", "", "hangs", 9.0, TIMEOUT, 7.0, 7.0, 1),
        (
            "track, close fail",
            "fails",
            "fails",
            9.0,
            "track fails",
            3.0,
            3.0,
            1,
        ),
        (
            "track fails, close panics",
            "fails",
            "panics",
            9.0,
            "track fails",
            3.0,
            3.0,
            1,
        ),
        ("track, close panic", "panics", "panics", 9.0, "a panic", 2.0, 3.0, 1),
        (
            "track panics, close hangs",
            "panics",
            "hangs",
            9.0,
            "a panic",
            2.0,
            7.0,
            1,
        ),
    ] {
        let actual = self::outcome(body, close, abort).await;
        assert_eq!(actual, (outcome.to_owned(), ended, closed, left), "{case}");
        println!(
            "{case}: {outcome}, {ended} s; shut down: {closed} s, \
             sessions: {left}"
        );
    }
    shut_down_waits().await;
    on_a_thread().await;

    let carrier = Carrier::default();
    thread::scope(|scope| {
        let ends = scope.spawn(|| the_runtime_ends(&carrier));
        ends.join().expect("no panic")
    })?;
    println!("the runtime ends: sessions, sockets: {:?}", carrier.counts());
    assert_eq!(carrier.counts(), (2, 0));

    let refused = async { bail!("connection refused") };
    let body = async |session: &mut Session| session.track("").await;
    let error = self::closer().with_connection(refused, body).await;
    let error = error.expect_err("no connection").to_string();
    assert_eq!(error, "connection refused");

    // The log has each error of `close`, also when the body failed.
    let mut text = String::new();
    log.rewind()?;
    log.read_to_string(&mut text)?;
    let count = |error| text.matches(error).count();
    assert_eq!(count("not closed: close fails"), 2);
    assert_eq!(count("not closed: deadline has elapsed"), 2);
    assert_eq!(count("panicked with message \"close panics\""), 3);
    assert_eq!(count("not closed"), 7);
    Ok(())
}
// ANCHOR_END: all
