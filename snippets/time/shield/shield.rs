// ANCHOR: all
// ANCHOR: keep
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use futures::FutureExt;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

#[derive(Debug, thiserror::Error)]
#[error("not started: too much runs, or it shuts down")]
struct Busy;

/// Work that goes on if its caller is cancelled: at most `limit` at the same
/// time, each for `timeout` at most.
#[derive(Clone)]
struct Shield {
    limit: usize,
    timeout: Duration,
    report: fn(&anyhow::Error),
    permits: Arc<Semaphore>,
    tracker: TaskTracker,
}

impl Shield {
    // ANCHOR: new
    /// `report` is called with each error, also if the caller has gone.
    fn new(
        limit: usize,
        timeout: Duration,
        report: fn(&anyhow::Error),
    ) -> Self {
        let permits = Arc::new(Semaphore::new(limit));
        Shield { limit, timeout, report, permits, tracker: TaskTracker::new() }
    }
    // ANCHOR_END: new

    // ANCHOR: run
    /// Runs the work in a task of its own. If too many run, or after the
    /// shutdown has begun, the work is not started.
    async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let tracked = self.tracker.token(); // before the permit
        let permit = Arc::clone(&self.permits).try_acquire_owned();
        let permit = permit.map_err(|_| Busy)?;
        let (limit, report) = (self.timeout, self.report);
        let task = tokio::spawn(async move {
            let _guard = (permit, tracked);
            let work = AssertUnwindSafe(timeout(limit, work)).catch_unwind();
            let end = work.await.map_err(|_| anyhow!("panicked"));
            let end = end.and_then(|end| end.context("not in time"));
            end.flatten().inspect_err(report)
        });
        task.await?
    }
    // ANCHOR_END: run

    // ANCHOR: shut_down
    /// Refuses new work, and waits for what runs. Returns how much of it
    /// still runs after `drain`.
    async fn shut_down(&self, drain: Duration) -> usize {
        self.permits.close();
        self.tracker.close();
        _ = timeout(drain, self.tracker.wait()).await;
        self.limit - self.permits.available_permits()
    }
    // ANCHOR_END: shut_down
}
// ANCHOR_END: keep

// A service that buys labels, clients that leave, and what must come of it.
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use anyhow::bail;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::{Router, routing::post};
use tokio::net::TcpListener;
use tokio::sync::{TryAcquireError, watch};
use tokio::time::{Instant, error::Elapsed, sleep};

const SECOND: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);

static REPORTED: AtomicUsize = AtomicUsize::new(0);

fn report(error: &anyhow::Error) {
    REPORTED.fetch_add(1, SeqCst);
    tracing::error!("{error:#}");
}

/// What the carrier, the database and the connections have seen.
#[derive(Clone, Default)]
struct Seen(watch::Sender<Vec<&'static str>>);

impl Seen {
    fn add(&self, event: &'static str) {
        self.0.send_modify(|events| events.push(event));
    }

    async fn wait(&self, event: &'static str) {
        let mut rx = self.0.subscribe();
        let seen = rx.wait_for(|events| events.contains(&event)).await;
        seen.expect("`self` has a sender");
    }

    fn all(&self) -> String {
        self.0.borrow().join(", ")
    }
}

/// Adds to `Seen` that the handler's future has been dropped.
struct Gone(Seen);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.add("handler gone");
    }
}

#[derive(Clone)]
struct Shop {
    shield: Shield,
    seen: Seen,
}

impl Shop {
    fn new() -> Self {
        let shield = Shield::new(2, 30 * SECOND, report);
        Shop { shield, seen: Seen::default() }
    }

    async fn quote(&self) -> Result<u32> {
        self.seen.add("asked for a price");
        sleep(SECOND).await;
        self.seen.add("has a price");
        Ok(700)
    }

    /// Two effects that belong together.
    async fn buy(self, cents: u32) -> Result<String> {
        self.seen.add("paid");
        sleep(SECOND).await;
        self.seen.add("stored");
        Ok(format!("a label for {cents} cents"))
    }
}

// ANCHOR: call
async fn buy_label(State(shop): State<Shop>) -> Result<String, StatusCode> {
    // A client that leaves here has bought nothing.
    let cents = shop.quote().await.map_err(|_| StatusCode::BAD_GATEWAY)?;

    let label = shop.shield.run(shop.clone().buy(cents)).await;
    label.map_err(to_status)
}

fn to_status(error: anyhow::Error) -> StatusCode {
    match error.is::<Busy>() {
        true => StatusCode::SERVICE_UNAVAILABLE, // it was not started
        false => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
// ANCHOR_END: call

async fn unshielded(State(shop): State<Shop>) -> String {
    let _gone = Gone(shop.seen.clone());
    shop.buy(700).await.unwrap_or_default()
}

// ANCHOR: layer
async fn shield_all(
    State(shield): State<Shield>,
    request: Request,
    next: Next,
) -> Response {
    let work = async move { Ok(next.run(request).await) };
    let end = shield.run(work).await;
    end.unwrap_or_else(|error| to_status(error).into_response())
}
// ANCHOR_END: layer

/// A client that leaves when `event` has been seen.
async fn leaves(path: &str, event: &'static str) -> Result<String> {
    let shop = Shop::new();
    let layer = from_fn_with_state(shop.shield.clone(), shield_all);
    let gone = |State(shop): State<Shop>, request: Request, next: Next| async {
        let _gone = Gone(shop.seen);
        next.run(request).await
    };
    let app = Router::new()
        .route("/all", post(unshielded))
        .route_layer(layer)
        .route("/none", post(unshielded))
        .route("/label", post(buy_label))
        .layer(from_fn_with_state(shop.clone(), gone))
        .with_state(shop.clone());
    let tcp = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}{path}", tcp.local_addr()?);
    let server = tokio::spawn(async { axum::serve(tcp, app).await });

    let client = reqwest::Client::builder().no_proxy().build()?;
    let request = client.post(&url).send();
    let request = tokio::spawn(async move { request.await?.text().await });
    shop.seen.wait(event).await;
    if event != "handler gone" {
        request.abort();
    }
    shop.seen.wait("handler gone").await;
    shop.shield.shut_down(60 * SECOND).await;
    server.abort();
    Ok(shop.seen.all())
}

async fn clients() -> Result<()> {
    for (case, path, event, expected) in [
        ("stays", "/label", "handler gone", "stored, handler gone"),
        ("leaves early", "/label", "asked for a price", ", handler gone"),
        ("leaves late", "/label", "paid", "paid, handler gone, stored"),
        ("no shield", "/none", "paid", "paid, handler gone"),
    ] {
        let seen = leaves(path, event).await?;
        println!("{case}: {seen}");
        assert!(seen.contains(expected), "{case}: {seen}");
        let halfway = seen.contains("paid") && !seen.contains("stored");
        assert_eq!(halfway, case == "no shield");
    }
    let seen = leaves("/all", "paid").await?;
    println!("a layer: {seen}");
    assert!(seen.starts_with("paid, handler gone, stored"), "{seen}");
    Ok(())
}

/// A caller that stays, and one that gives up at once.
async fn ends() -> Result<()> {
    let shield = Shield::new(2, 30 * SECOND, report);
    let label = shield.run(async { Ok("a label") }).await?;
    println!("done: {label}");
    // The work itself may find no permit of its own.
    let work = async { Err(TryAcquireError::NoPermits.into()) };
    let error = shield.run::<()>(work).await.expect_err("its own");
    assert_eq!(to_status(error), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(REPORTED.swap(0, SeqCst), 1);
    for is_there in [true, false] {
        let fails = async {
            sleep(SECOND).await;
            bail!("402 Payment Required")
        };
        let panics = async {
            sleep(SECOND).await;
            panic!("a comma in the price")
        };
        let slow = async {
            sleep(31 * SECOND).await;
            Ok(())
        };
        let errors = if is_there {
            [
                shield.run::<()>(fails).await,
                shield.run::<()>(panics).await,
                shield.run::<()>(slow).await,
            ]
            .map(Result::unwrap_err)
            .map(Some)
        } else {
            assert!(timeout(MS, shield.run::<()>(fails)).await.is_err());
            assert!(timeout(MS, shield.run::<()>(panics)).await.is_err());
            sleep(2 * SECOND).await;
            assert!(timeout(MS, shield.run::<()>(slow)).await.is_err());
            sleep(31 * SECOND).await;
            [None, None, None]
        };
        if let [Some(failed), Some(panicked), Some(late)] = errors {
            println!("fails: {failed:#}\nslow: {late:#}");
            assert_eq!(failed.to_string(), "402 Payment Required");
            println!("panics: {panicked}");
            assert_eq!(panicked.to_string(), "panicked");
            assert_eq!(to_status(panicked), StatusCode::INTERNAL_SERVER_ERROR);
            assert!(late.is::<Elapsed>());
        }
        let reported = REPORTED.swap(0, SeqCst);
        println!("the caller waits: {is_there}, {reported} reported");
        assert_eq!(reported, 3);
        assert_eq!(shield.permits.available_permits(), 2);
    }
    Ok(())
}

/// Too many callers, and a shutdown.
async fn shutdown() -> Result<()> {
    let shield = Shield::new(2, 30 * SECOND, report);
    let seen = Seen::default();
    let work = |seconds: u32| {
        let seen = seen.clone();
        async move {
            sleep(seconds * SECOND).await;
            seen.add("done");
            Ok(())
        }
    };
    for seconds in [3, 20] {
        assert!(timeout(MS, shield.run(work(seconds))).await.is_err());
    }
    let busy = shield.run(work(1)).await.expect_err("two run");
    println!("full: {busy}");
    assert_eq!(to_status(busy), StatusCode::SERVICE_UNAVAILABLE);

    let start = Instant::now();
    let left = shield.shut_down(10 * SECOND).await;
    let took = start.elapsed().as_secs();
    println!("shutdown: after {took} s {left} runs, {} is done", seen.all());
    assert_eq!((took, left, &*seen.all()), (10, 1, "done"));
    let closed = shield.run(work(1)).await.expect_err("it is closed");
    println!("after the shutdown: {closed}");
    assert!(closed.is::<Busy>());

    let left = shield.shut_down(10 * SECOND).await;
    println!("a second shutdown: {left} runs");
    assert_eq!((left, &*seen.all()), (0, "done, done"));
    Ok(())
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<()> {
    clients().await?;
    ends().await?;
    shutdown().await
}
// ANCHOR_END: all
