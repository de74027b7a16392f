// ANCHOR: all
// ANCHOR: keep
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, anyhow};
use futures::FutureExt;
use tokio::sync::{Semaphore, TryAcquireError};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

// ANCHOR: background
/// Tasks that go on after the response, at most `limit` at a time.
#[derive(Clone)]
struct Background {
    limit: u32,
    permits: Arc<Semaphore>,
    stop: CancellationToken,
}
// ANCHOR_END: background

impl Background {
    fn new(limit: u32) -> Self {
        let permits = Arc::new(Semaphore::new(limit as usize));
        Background { limit, permits, stop: CancellationToken::new() }
    }

    // ANCHOR: spawn
    /// Starts a task, and calls `report` once, when it has ended. An error if
    /// too many run, or after the shutdown has begun.
    fn spawn(
        &self,
        task: impl Future<Output = Result<()>> + Send + 'static,
        report: impl FnOnce(Result<()>) + Send + 'static,
    ) -> Result<(), TryAcquireError> {
        let permit = Arc::clone(&self.permits).try_acquire_owned()?;
        let stop = self.stop.clone();
        tokio::spawn(async move {
            let task = stop.run_until_cancelled(task);
            let end = AssertUnwindSafe(task).catch_unwind().await;
            report(match end {
                Ok(Some(result)) => result,
                Ok(None) => Err(anyhow!("cancelled by the shutdown")),
                Err(_panic) => Err(anyhow!("panicked")),
            });
            drop(permit);
        });
        Ok(())
    }
    // ANCHOR_END: spawn

    // ANCHOR: shut_down
    /// Refuses new tasks, waits for the others, and then cancels them.
    async fn shut_down(&self, [drain, last]: [Duration; 2]) {
        let mut all = pin!(self.permits.acquire_many(self.limit));
        let _held = match timeout(drain, &mut all).await {
            Ok(all) => Some(all),
            Err(_) => {
                self.stop.cancel();
                timeout(last, &mut all).await.ok()
            }
        };
        self.permits.close(); // while they are held
    }
    // ANCHOR_END: shut_down
}
// ANCHOR_END: keep

// A service that sends notifications, and what must become of them.
use std::collections::BTreeMap;
use std::future::pending;
use std::mem;
use std::net::SocketAddr;
use std::sync::Mutex;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header::RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use reqwest::Client;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

const SECOND: Duration = Duration::from_secs(1);

/// What became of each notification.
type Reports = Arc<Mutex<BTreeMap<u32, String>>>;

#[derive(Clone)]
struct Service {
    background: Background,
    reports: Reports,
}

/// Notifies the customer, in a second. The hundreds are parcels that fail.
async fn notify(parcel: u32) -> Result<()> {
    match parcel / 100 {
        1 => pending().await,
        2 => panic!("parcel {parcel} has no customer"),
        3 => anyhow::bail!("503 Service Unavailable"),
        _ => sleep(SECOND).await,
    }
    Ok(())
}

// ANCHOR: handler
async fn scan(
    State(service): State<Service>,
    Path(parcel): Path<u32>,
) -> Response {
    let limit = Duration::from_secs(10);
    let task = async move { timeout(limit, notify(parcel)).await? };
    let reports = service.reports;
    let report = move |result: Result<()>| {
        if let Err(error) = &result {
            tracing::error!(parcel, "not notified: {error:#}");
        }
        count(&reports, parcel, result);
    };
    match service.background.spawn(task, report) {
        Ok(()) => StatusCode::ACCEPTED.into_response(),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "1")])
            .into_response(),
    }
}
// ANCHOR_END: handler

/// Each notification has one end.
fn count(reports: &Reports, parcel: u32, result: Result<()>) {
    let end = match result {
        Ok(()) => "notified".into(),
        Err(error) => error.to_string(),
    };
    let mut reports = reports.lock().expect("no panic");
    assert_eq!(reports.insert(parcel, end), None, "{parcel}");
}

/// Serves until `closing`, and ends what was accepted.
async fn serve(
    listener: TcpListener,
    service: Service,
    closing: CancellationToken,
    limits: [Duration; 2],
) -> Result<()> {
    let background = service.background.clone();
    // ANCHOR: call
    let app = Router::new()
        .route("/parcels/{id}/scans", post(scan))
        .with_state(service);
    axum::serve(listener, app)
        .with_graceful_shutdown(closing.cancelled_owned())
        .await?;
    background.shut_down(limits).await;
    // ANCHOR_END: call
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

/// A service with two permits.
struct Trial {
    address: SocketAddr,
    client: Client,
    background: Background,
    closing: CancellationToken,
    server: JoinHandle<Result<()>>,
    reports: Reports,
}

impl Trial {
    async fn new() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (background, reports) = (Background::new(2), Reports::default());
        let service = Service {
            background: background.clone(),
            reports: Arc::clone(&reports),
        };
        let closing = CancellationToken::new();
        let limits = [20 * SECOND, SECOND];
        let serve = serve(listener, service, closing.clone(), limits);
        let server = tokio::spawn(serve);
        let client = Client::builder().no_proxy().build()?;
        Ok(Trial { address, client, background, closing, server, reports })
    }

    async fn scan(&self, parcel: u32) -> Result<u16> {
        let url = format!("http://{}/parcels/{parcel}/scans", self.address);
        Ok(self.client.post(url).send().await?.status().as_u16())
    }

    /// What has become of the notifications since the last call.
    fn reports(&self, case: &str) -> Vec<(u32, String)> {
        let mut reports = self.reports.lock().expect("no panic");
        let reports: Vec<_> = mem::take(&mut *reports).into_iter().collect();
        println!("{case}: {reports:?}");
        reports
    }

    /// How many seconds the shutdown takes.
    async fn end(&mut self) -> Result<u64> {
        let start = Instant::now();
        self.closing.cancel();
        (&mut self.server).await??;
        Ok(start.elapsed().as_secs())
    }
}

fn ends(ends: &[(u32, &str)]) -> Vec<(u32, String)> {
    ends.iter().map(|(parcel, end)| (*parcel, end.to_string())).collect()
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<()> {
    let mut trial = Trial::new().await?;
    let start = Instant::now();
    assert_eq!(trial.scan(1).await?, 202);
    assert!(start.elapsed() < SECOND / 10, "the client does not wait");
    sleep(SECOND * 2).await;
    assert_eq!(trial.reports("accepted"), ends(&[(1, "notified")]));

    for parcel in [201, 301] {
        assert_eq!(trial.scan(parcel).await?, 202);
    }
    sleep(SECOND / 10).await;
    let (panicked, failed) = ("panicked", "503 Service Unavailable");
    assert_eq!(
        trial.reports("panics, fails"),
        ends(&[(201, panicked), (301, failed)])
    );

    assert_eq!(trial.scan(101).await?, 202);
    sleep(SECOND * 11).await;
    let elapsed = ends(&[(101, "deadline has elapsed")]);
    assert_eq!(trial.reports("hangs"), elapsed);

    // Two tasks at most: a third scan is refused until one has ended.
    assert_eq!([trial.scan(1).await?, trial.scan(2).await?], [202, 202]);
    assert_eq!(trial.scan(3).await?, 503);
    sleep(SECOND * 2).await;
    assert_eq!(trial.scan(4).await?, 202);
    sleep(SECOND * 2).await;
    let expected = [(1, "notified"), (2, "notified"), (4, "notified")];
    assert_eq!(trial.reports("full"), ends(&expected));

    // A client that leaves without the response.
    let mut leaving = TcpStream::connect(trial.address).await?;
    let request = "POST /parcels/5/scans HTTP/1.1\r\nhost: a\r\n\r\n";
    leaving.write_all(request.as_bytes()).await?;
    drop(leaving);
    sleep(SECOND * 2).await;
    assert_eq!(trial.reports("the client leaves"), ends(&[(5, "notified")]));

    // The shutdown waits, and refuses what comes later.
    assert_eq!(trial.scan(6).await?, 202);
    assert_eq!(trial.end().await?, 1);
    assert_eq!(trial.reports("shutdown"), ends(&[(6, "notified")]));
    let refused = trial.background.spawn(async { Ok(()) }, |_| {});
    println!("too late: {refused:?}");
    assert_eq!(refused, Err(TryAcquireError::Closed));

    // It cancels what takes too long, at an await.
    let mut trial = Trial::new().await?;
    for (parcel, panics) in [(7, false), (8, true)] {
        let reports = Arc::clone(&trial.reports);
        let task = async move {
            let _guard = Guard { panics };
            sleep(SECOND * 60).await;
            Ok(())
        };
        let report = move |result| count(&reports, parcel, result);
        trial.background.spawn(task, report)?;
    }
    assert_eq!(trial.end().await?, 20);
    assert_eq!(
        trial.reports("shutdown, too slow"),
        ends(&[(7, "cancelled by the shutdown"), (8, "panicked")])
    );
    Ok(())
}
// ANCHOR_END: all
