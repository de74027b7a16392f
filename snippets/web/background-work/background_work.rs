// ANCHOR: all
// ANCHOR: keep
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, anyhow};
use futures::FutureExt;
use tokio::sync::{Semaphore, TryAcquireError};
use tokio::time::timeout;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

// ANCHOR: background
/// Tasks that go on after the response, at most `limit` at a time, each for
/// `timeout` at most.
#[derive(Clone)]
struct Background {
    limit: usize,
    timeout: Duration,
    permits: Arc<Semaphore>,
    tracker: TaskTracker,
    stop: CancellationToken,
}
// ANCHOR_END: background

impl Background {
    fn new(limit: usize, timeout: Duration) -> Self {
        Background {
            limit,
            timeout,
            permits: Arc::new(Semaphore::new(limit)),
            tracker: TaskTracker::new(),
            stop: CancellationToken::new(),
        }
    }

    // ANCHOR: spawn
    /// Starts a task, and calls `report` when it has ended. An error if too
    /// many run, or after the shutdown has begun.
    fn spawn(
        &self,
        task: impl Future<Output = Result<()>> + Send + 'static,
        report: impl FnOnce(Result<()>) + Send + 'static,
    ) -> Result<(), TryAcquireError> {
        let tracked = self.tracker.token(); // before the permit
        let permit = Arc::clone(&self.permits).try_acquire_owned()?;
        let guard = (permit, tracked);
        let (time, stop) = (self.timeout, self.stop.clone());
        tokio::spawn(async move {
            let task = stop.run_until_cancelled(timeout(time, task));
            let end = AssertUnwindSafe(task).catch_unwind().await;
            report(match end {
                Ok(Some(Ok(result))) => result,
                Ok(Some(Err(elapsed))) => Err(elapsed.into()),
                Ok(None) => Err(anyhow!("cancelled by the shutdown")),
                Err(_panic) => Err(anyhow!("panicked")),
            });
            drop(guard);
        });
        Ok(())
    }
    // ANCHOR_END: spawn

    // ANCHOR: shut_down
    /// Refuses new tasks, waits `drain` for those that run, cancels the rest,
    /// and waits `last` for it. Returns how many tasks still run.
    async fn shut_down(&self, drain: Duration, last: Duration) -> usize {
        self.permits.close();
        self.tracker.close();
        if timeout(drain, self.tracker.wait()).await.is_err() {
            self.stop.cancel();
            _ = timeout(last, self.tracker.wait()).await;
        }
        self.limit - self.permits.available_permits()
    }
    // ANCHOR_END: shut_down
}
// ANCHOR_END: keep

// A service that sends notifications, and what must become of them.
// ANCHOR: handler
use axum::extract::{Path, State};
use axum::http::{StatusCode, header::RETRY_AFTER};
use axum::response::{IntoResponse, Response};

#[derive(Clone)]
struct Service {
    background: Background,
    metrics: Metrics,
}

async fn scan(
    State(service): State<Service>,
    Path(parcel): Path<u32>,
) -> Response {
    let metrics = service.metrics;
    let report = move |result: Result<()>| {
        if let Err(error) = &result {
            tracing::error!(parcel, "not notified: {error:#}");
        }
        metrics.count(parcel, result);
    };
    match service.background.spawn(notify(parcel), report) {
        Ok(()) => StatusCode::ACCEPTED.into_response(),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "1")])
            .into_response(),
    }
}
// ANCHOR_END: handler

// ANCHOR: call
use axum::{Router, routing::post};
use tokio::{net::TcpListener, time::sleep};

const SERVER: Duration = Duration::from_secs(8);
const DRAIN: Duration = Duration::from_secs(11);
const LAST: Duration = Duration::from_secs(1);

/// Serves until `closing` is cancelled, and ends what was accepted. Returns
/// how many tasks still run.
async fn serve(
    listener: TcpListener,
    metrics: Metrics,
    closing: CancellationToken,
) -> Result<usize> {
    let background = Background::new(100, Duration::from_secs(10));
    let service = Service { background: background.clone(), metrics };
    let app = Router::new()
        .route("/parcels/{id}/scans", post(scan))
        .with_state(service);
    let begun = closing.clone().cancelled_owned();
    let server = axum::serve(listener, app).with_graceful_shutdown(begun);
    let limit = async {
        closing.cancelled().await;
        sleep(SERVER).await; // for a client that has sent half a request
    };
    let ended =
        tokio::select! { ended = server => ended, () = limit => Ok(()) };
    let left = background.shut_down(DRAIN, LAST).await;
    if left > 0 {
        tracing::warn!(left, "tasks still run");
    }
    ended?;
    Ok(left)
}
// ANCHOR_END: call

use std::collections::BTreeMap;
use std::future::pending;
use std::mem;
use std::net::SocketAddr;
use std::sync::{Mutex, mpsc};

use reqwest::Client;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);

/// What became of each notification.
#[derive(Clone, Default)]
struct Metrics {
    ends: Arc<Mutex<BTreeMap<u32, String>>>,
}

impl Metrics {
    /// Each notification has one end.
    fn count(&self, parcel: u32, result: Result<()>) {
        let end = match result {
            Ok(()) => "notified".into(),
            Err(error) => error.to_string(),
        };
        let mut ends = self.ends.lock().expect("no panic");
        assert_eq!(ends.insert(parcel, end), None, "{parcel}");
    }

    /// The ends since the last call.
    fn take(&self) -> Vec<(u32, String)> {
        let mut ends = self.ends.lock().expect("no panic");
        mem::take(&mut *ends).into_iter().collect()
    }
}

/// Notifies the customer, in a second. The hundreds are parcels that fail.
async fn notify(parcel: u32) -> Result<()> {
    match parcel / 100 {
        1 => pending().await,
        2 => panic!("parcel {parcel} has no customer"),
        3 => anyhow::bail!("the address is unknown"),
        _ => sleep(SECOND).await,
    }
    Ok(())
}

/// What a task may do when it is dropped.
struct Guard {
    panics: bool,
}

impl Drop for Guard {
    fn drop(&mut self) {
        assert!(!self.panics, "a bug in a destructor");
    }
}

/// A task that takes too long, and what its destructor does.
async fn slow(panics: bool) -> Result<()> {
    let _guard = Guard { panics };
    sleep(SECOND * 60).await;
    Ok(())
}

struct Trial {
    address: SocketAddr,
    client: Client,
    closing: CancellationToken,
    server: JoinHandle<Result<usize>>,
    metrics: Metrics,
}

impl Trial {
    async fn new() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (metrics, closing) = (Metrics::default(), CancellationToken::new());
        let serve = serve(listener, metrics.clone(), closing.clone());
        let server = tokio::spawn(serve);
        let client = Client::builder().no_proxy().build()?;
        Ok(Trial { address, client, closing, server, metrics })
    }

    async fn scan(&self, parcel: u32) -> Result<u16> {
        let url = format!("http://{}/parcels/{parcel}/scans", self.address);
        Ok(self.client.post(url).send().await?.status().as_u16())
    }

    async fn connect(&self, request: &str) -> Result<TcpStream> {
        let mut stream = TcpStream::connect(self.address).await?;
        stream.write_all(request.as_bytes()).await?;
        sleep(SECOND / 10).await;
        Ok(stream)
    }

    /// What has become of the notifications since the last call.
    fn ends(&self, case: &str) -> Vec<(u32, String)> {
        let ends = self.metrics.take();
        println!("{case}: {ends:?}");
        ends
    }

    /// How many seconds the shutdown takes.
    async fn end(&mut self) -> Result<u64> {
        let start = Instant::now();
        self.closing.cancel();
        assert_eq!((&mut self.server).await??, 0, "no task is left");
        Ok(start.elapsed().as_secs())
    }
}

fn ends(ends: &[(u32, &str)]) -> Vec<(u32, String)> {
    ends.iter().map(|(parcel, end)| (*parcel, end.to_string())).collect()
}

async fn service() -> Result<()> {
    let mut trial = Trial::new().await?;
    let start = Instant::now();
    assert_eq!(trial.scan(1).await?, 202);
    assert!(start.elapsed() < SECOND / 10, "the client does not wait");
    sleep(SECOND * 2).await;
    assert_eq!(trial.ends("accepted"), ends(&[(1, "notified")]));

    assert_eq!([trial.scan(201).await?, trial.scan(301).await?], [202; 2]);
    sleep(SECOND / 10).await;
    assert_eq!(
        trial.ends("panics, fails"),
        ends(&[(201, "panicked"), (301, "the address is unknown")])
    );

    assert_eq!(trial.scan(101).await?, 202);
    sleep(SECOND * 11).await;
    let elapsed = ends(&[(101, "deadline has elapsed")]);
    assert_eq!(trial.ends("hangs"), elapsed);

    let mut statuses = BTreeMap::<u16, u32>::new();
    for parcel in 1000..1101 {
        *statuses.entry(trial.scan(parcel).await?).or_default() += 1;
    }
    println!("full: {statuses:?}");
    assert_eq!(statuses, BTreeMap::from([(202, 100), (503, 1)]));
    sleep(SECOND * 2).await;
    assert_eq!(trial.metrics.take().len(), 100);
    assert_eq!(trial.scan(4).await?, 202);
    sleep(SECOND * 2).await;
    assert_eq!(trial.ends("free again"), ends(&[(4, "notified")]));

    let request = "POST /parcels/5/scans HTTP/1.1\r\nhost: a\r\n\r\n";
    drop(trial.connect(request).await?);
    sleep(SECOND * 2).await;
    assert_eq!(trial.ends("the client leaves"), ends(&[(5, "notified")]));

    // The shutdown waits for what was accepted.
    assert_eq!(trial.scan(6).await?, 202);
    assert_eq!(trial.end().await?, 1);
    assert_eq!(trial.ends("shutdown"), ends(&[(6, "notified")]));

    // One client never sends the rest of its request, another one does so late.
    let mut trial = Trial::new().await?;
    let half = trial.connect("POST /parcels/7/scans HTTP/1.1\r\nho").await?;
    let mut late =
        trial.connect("POST /parcels/8/scans HTTP/1.1\r\nho").await?;
    let start = Instant::now();
    trial.closing.cancel();
    sleep(SERVER - SECOND / 2).await;
    late.write_all(b"st: a\r\n\r\n").await?;
    trial.end().await?;
    let took = start.elapsed();
    assert_eq!(trial.ends("half a request"), ends(&[(8, "notified")]));
    assert!(took.abs_diff(SERVER + SECOND / 2) < SECOND / 10, "{took:?}");
    drop(half);
    Ok(())
}

async fn shutdown() -> Result<()> {
    let (long, metrics) = (SECOND * 60, Metrics::default());
    let report = |parcel| {
        let metrics = metrics.clone();
        move |result| metrics.count(parcel, result)
    };
    let background = Background::new(2, long);
    background.spawn(slow(false), report(7))?;
    background.spawn(slow(true), report(8))?;
    let start = Instant::now();
    assert_eq!(background.shut_down(DRAIN, LAST).await, 0);
    assert_eq!(start.elapsed(), DRAIN);
    let (cancelled, panicked) = ("cancelled by the shutdown", "panicked");
    let taken = metrics.take();
    assert_eq!(taken, ends(&[(7, cancelled), (8, panicked)]));
    println!("too slow: {:?}", taken[0]);
    println!("too slow, and its Drop panics: {:?}", taken[1]);
    let refused = background.spawn(async { Ok(()) }, |_| {});
    println!("too late: {refused:?}");
    assert_eq!(refused, Err(TryAcquireError::Closed));

    // The caller of `shut_down` is cancelled, and calls it again.
    let background = Background::new(2, long);
    background.spawn(slow(false), report(7))?;
    let caller = background.shut_down(DRAIN, LAST);
    assert!(timeout(SECOND, caller).await.is_err());
    let refused = background.spawn(async { Ok(()) }, |_| {});
    assert_eq!(refused, Err(TryAcquireError::Closed));
    assert!(metrics.take().is_empty(), "the task goes on");
    assert_eq!(background.shut_down(SECOND, LAST).await, 0);
    let taken = metrics.take();
    println!("the shutdown is cancelled, and called again: {taken:?}");
    assert_eq!(taken, ends(&[(7, cancelled)]));

    // A report that panics gives its permit back.
    let background = Background::new(1, long);
    background.spawn(async { Ok(()) }, |_| panic!("a bug in a report"))?;
    sleep(SECOND).await;
    background.spawn(async { Ok(()) }, report(9))?;
    let left = background.shut_down(DRAIN, LAST).await;
    let taken = metrics.take();
    println!("the report panics, and a second task: {taken:?}");
    assert_eq!((left, taken), (0, ends(&[(9, "notified")])));
    Ok(())
}

/// A task that blocks its thread is not stopped, and the runtime need not wait.
fn blocks() -> Result<()> {
    let (begun_tx, begun) = oneshot::channel();
    let (release_tx, release) = mpsc::channel::<()>();
    let (ended_tx, ended) = mpsc::channel();
    let task = async move {
        _ = begun_tx.send(());
        _ = release.recv(); // not an await
        Ok(())
    };
    let report = move |result: Result<()>| _ = ended_tx.send(result.is_ok());
    let runtime = Runtime::new()?;
    let left = runtime.block_on(async {
        let background = Background::new(2, DRAIN);
        background.spawn(task, report)?;
        begun.await?;
        let soon = Duration::from_millis(10);
        Ok::<_, anyhow::Error>(background.shut_down(soon, soon).await)
    })?;
    println!("blocks its thread: {left} left");
    assert_eq!(left, 1);
    assert!(ended.try_recv().is_err(), "it is not reported");
    runtime.shutdown_background();
    drop(release_tx);
    assert_eq!(ended.recv_timeout(SECOND * 10), Ok(true));
    Ok(())
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn cases() -> Result<()> {
    service().await?;
    shutdown().await
}

fn main() -> Result<()> {
    cases()?;
    blocks()
}
// ANCHOR_END: all
