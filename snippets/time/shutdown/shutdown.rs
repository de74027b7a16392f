// ANCHOR: all
// ANCHOR: keep
use std::{fmt::Debug, io, process, time::Duration};

use async_channel::Receiver;
use futures::future::{FutureExt, join_all};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

// ANCHOR: signals
/// The first SIGTERM or SIGINT cancels `begun`. The second ends the process.
fn listen_for_signals(begun: CancellationToken) -> io::Result<()> {
    let mut term = signal(SignalKind::terminate())?;
    let mut int = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        loop {
            tokio::select! { _ = term.recv() => {}, _ = int.recv() => {} }
            if begun.is_cancelled() {
                process::exit(1);
            }
            begun.cancel();
        }
    });
    Ok(())
}
// ANCHOR_END: signals

/// Runs jobs, and ends in steps. It hands back every job that is not done.
async fn run_jobs<Job: Clone + Debug>(
    jobs: Receiver<Job>,
    run: impl Fn(Job) -> JoinHandle<anyhow::Result<()>>,
    hand_back: impl Fn(Job),
    begun: CancellationToken,
    closing: CancellationToken,
    connections: TaskTracker,
    [delay, requests, drain, last]: [Duration; 4],
) {
    let stop = CancellationToken::new();
    // ANCHOR: worker
    let worker = |_| async {
        while let Some(Ok(job)) = stop.run_until_cancelled(jobs.recv()).await {
            let mut task = run(job.clone());
            let mut result = stop.run_until_cancelled(&mut task).await;
            if result.is_none() {
                task.abort();
                result = timeout(last, task).await.ok(); // perhaps it is done
            }
            if !matches!(result, Some(Ok(Ok(())))) {
                tracing::error!(?job, ?result, "not done: handed back");
                hand_back(job);
            }
        }
    };
    // ANCHOR_END: worker
    // ANCHOR: steps
    let steps = async {
        begun.cancelled().await;
        tracing::info!("shutdown: /ready answers 503");
        sleep(delay).await;
        tracing::info!("shutdown: the listener closes, streams end");
        closing.cancel();
        connections.close();
        let answered = timeout(requests, connections.wait()).await.is_ok();
        tracing::info!(answered, "shutdown: the queue closes");
        jobs.close();
        let drained = timeout(drain, stop.cancelled()).await.is_ok();
        tracing::info!(drained, "shutdown: the rest is handed back");
        stop.cancel();
        _ = timeout(last, connections.wait()).await;
    };
    // ANCHOR_END: steps
    // ANCHOR: rest
    tokio::join!(steps, join_all((0..4).map(worker)).map(|_| stop.cancel()));
    while let Ok(job) = jobs.recv().await {
        hand_back(job);
    }
    // ANCHOR_END: rest
}
// ANCHOR_END: keep

// The service around it: its handlers, and what starts it.
use std::future::IntoFuture;

use async_channel::Sender;
use axum::Router;
use axum::extract::ws::{Message, WebSocketUpgrade};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures::{StreamExt, TryStreamExt};
use tokio::net::TcpListener;
use tokio::sync::broadcast;
use tokio_stream::wrappers::BroadcastStream;

#[derive(Clone, Debug)]
struct Label {
    parcel: u32,
}

#[derive(Clone)]
struct Service {
    jobs_tx: Sender<Label>,
    scans: broadcast::Sender<String>,
    begun: CancellationToken,
    closing: CancellationToken,
    connections: TaskTracker,
}

async fn ready(State(service): State<Service>) -> StatusCode {
    if service.begun.is_cancelled() {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    StatusCode::OK
}

// ANCHOR: order
async fn order(
    State(service): State<Service>,
    Path(parcel): Path<u32>,
) -> StatusCode {
    let send = service.jobs_tx.send(Label { parcel });
    match timeout(Duration::from_secs(1), send).await {
        Ok(Ok(())) => StatusCode::ACCEPTED, // it is in the queue
        _ => StatusCode::SERVICE_UNAVAILABLE, // which is full, or closed
    }
}
// ANCHOR_END: order

// ANCHOR: streams
async fn events(State(service): State<Service>) -> impl IntoResponse {
    let scans = BroadcastStream::new(service.scans.subscribe());
    let scans = scans.take_until(service.closing.cancelled_owned());
    Sse::new(scans.map_ok(|scan| Event::default().data(scan)))
}

async fn live(
    State(service): State<Service>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let open = service.connections.token(); // axum does not wait for it
    let mut scans = service.scans.subscribe();
    upgrade.on_upgrade(async move |mut socket| {
        let push = async {
            while let Ok(scan) = scans.recv().await {
                socket.send(scan.into()).await?;
            }
            Ok::<_, axum::Error>(())
        };
        service.closing.run_until_cancelled(push).await;
        let close = socket.send(Message::Close(None));
        _ = timeout(Duration::from_secs(1), close).await;
        drop(open);
    })
}
// ANCHOR_END: streams

async fn serve_labels(
    listener: TcpListener,
    scans: broadcast::Sender<String>,
    begun: CancellationToken,
    limits: [Duration; 4],
    run: impl Fn(Label) -> JoinHandle<anyhow::Result<()>>,
    hand_back: impl Fn(Label),
) {
    // ANCHOR: serve
    let closing = CancellationToken::new();
    let connections = TaskTracker::new();
    let (jobs_tx, jobs) = async_channel::bounded(8);
    let service = Service {
        jobs_tx,
        scans,
        begun: begun.clone(),
        closing: closing.clone(),
        connections: connections.clone(),
    };
    let app = Router::new()
        .route("/ready", get(ready)) // 503 when `begun` is cancelled
        .route("/labels/{parcel}", post(order))
        .route("/events", get(events))
        .route("/live", get(live))
        .with_state(service);
    let server = axum::serve(listener, app)
        .with_graceful_shutdown(closing.clone().cancelled_owned());
    connections.spawn(server.into_future());
    run_jobs(jobs, run, hand_back, begun, closing, connections, limits).await;
    // ANCHOR_END: serve
}

// ANCHOR: start
/// 2 + 2 + 2 + 1 = 7 s, and 1 s to store what is handed back.
const LIMITS: [Duration; 4] = [
    Duration::from_secs(2), // load balancers stop sending requests
    Duration::from_secs(2), // requests are answered, streams end
    Duration::from_secs(2), // jobs are done
    Duration::from_secs(1), // the rest is aborted and handed back
];

/// What `main` does. `#[tokio::main]` would wait for threads that block.
fn start(address: &str, limits: [Duration; 4]) -> anyhow::Result<()> {
    let runtime = Runtime::new()?;
    let ended = runtime.block_on(async {
        let begun = CancellationToken::new();
        listen_for_signals(begun.clone())?; // before the first request
        let listener = TcpListener::bind(address).await?;
        println!("{}", listener.local_addr()?);
        let (unfinished_tx, unfinished) = async_channel::unbounded();
        let store = tokio::spawn(store(unfinished)); // each one at once
        let hand_back = move |label| {
            if let Err(error) = unfinished_tx.try_send(label) {
                tracing::error!(label = ?error.into_inner(), "not stored");
            }
        };
        let (scans, _) = broadcast::channel(16);
        serve_labels(listener, scans, begun, limits, render, hand_back).await;
        Ok(timeout(Duration::from_secs(1), store).await??)
    });
    runtime.shutdown_background();
    ended
}
// ANCHOR_END: start

// Labels that fail in every way, and clients that do.
use std::env;
use std::future::pending;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::panic::resume_unwind;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use reqwest::Client;
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::runtime::Runtime;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

const SECOND: Duration = Duration::from_secs(1);

/// Renders a label in a second. The hundreds are labels that fail.
fn render(label: Label) -> JoinHandle<anyhow::Result<()>> {
    let Label { parcel } = label;
    if parcel / 100 == 4 {
        return tokio::task::spawn_blocking(|| {
            loop {
                thread::park(); // cannot be aborted
            }
        });
    }
    tokio::spawn(async move {
        match parcel / 100 {
            1 => pending().await,
            2 => panic!("parcel {parcel} has no address"),
            3 => anyhow::bail!("parcel {parcel} has no address"),
            5 => return Ok(()), // at once
            _ => sleep(SECOND).await,
        }
        Ok(())
    })
}

async fn store(unfinished: Receiver<Label>) {
    while let Ok(Label { parcel }) = unfinished.recv().await {
        println!("unfinished: {parcel}");
    }
}

/// Parcels, in the order in which something happened to them.
type Parcels = Arc<Mutex<Vec<u32>>>;

fn add(parcels: &Parcels, parcel: u32) {
    parcels.lock().expect("no panic").push(parcel);
}

fn sorted(parcels: &Parcels) -> Vec<u32> {
    let mut parcels = parcels.lock().expect("no panic").clone();
    parcels.sort();
    parcels
}

/// A service, and what became of its labels.
struct Trial {
    address: SocketAddr,
    client: Client,
    scans: broadcast::Sender<String>,
    begun: CancellationToken,
    service: JoinHandle<()>,
    started: Parcels,
    rendered: Parcels,
    unfinished: Parcels,
}

impl Trial {
    async fn new(limits: [Duration; 4]) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let parcels = [(); 3].map(|()| Parcels::default());
        let [started, rendered, unfinished] = parcels.clone();
        let run = move |label: Label| {
            add(&started, label.parcel);
            let (rendered, parcel) = (Arc::clone(&rendered), label.parcel);
            let task = AbortOnDropHandle::new(render(label));
            tokio::spawn(async move {
                match task.await {
                    Ok(result) => result?,
                    Err(error) => resume_unwind(error.into_panic()),
                }
                add(&rendered, parcel);
                Ok(())
            })
        };
        let hand_back = move |label: Label| add(&unfinished, label.parcel);
        let begun = CancellationToken::new();
        let (scans, _) = broadcast::channel(16);
        let service = tokio::spawn(serve_labels(
            listener,
            scans.clone(),
            begun.clone(),
            limits,
            run,
            hand_back,
        ));
        let client = Client::builder().no_proxy().build()?;
        let [started, rendered, unfinished] = parcels;
        Ok(Trial {
            address,
            client,
            scans,
            begun,
            service,
            started,
            rendered,
            unfinished,
        })
    }

    async fn order(&self, parcel: u32) -> anyhow::Result<u16> {
        let url = format!("http://{}/labels/{parcel}", self.address);
        Ok(self.client.post(url).send().await?.status().as_u16())
    }

    /// Orders labels at the same moment: how many are accepted.
    async fn orders(&self, parcels: RangeInclusive<u32>) -> usize {
        let orders = join_all(parcels.map(|parcel| self.order(parcel)));
        let statuses = orders.await.into_iter();
        statuses.filter(|status| matches!(status, Ok(202))).count()
    }

    async fn ready(&self) -> anyhow::Result<u16> {
        let url = format!("http://{}/ready", self.address);
        Ok(self.client.get(url).send().await?.status().as_u16())
    }

    /// A connection on which this is sent.
    async fn connect(&self, request: &str) -> anyhow::Result<TcpStream> {
        let mut stream = TcpStream::connect(self.address).await?;
        stream.write_all(request.as_bytes()).await?;
        sleep(SECOND / 10).await;
        Ok(stream)
    }

    /// The end of the shutdown: how many seconds it took, how many labels
    /// are rendered, and which are handed back.
    async fn end(self, case: &str) -> anyhow::Result<(f64, usize, Vec<u32>)> {
        let start = Instant::now();
        self.begun.cancel();
        self.service.await?;
        let seconds = (start.elapsed().as_secs_f64() * 10.0).round() / 10.0;
        let rendered = sorted(&self.rendered).len();
        let unfinished = sorted(&self.unfinished);
        println!(
            "{case}: {seconds} s, {rendered} rendered, {} handed back",
            unfinished.len()
        );
        Ok((seconds, rendered, unfinished))
    }
}

/// What comes until the server closes the connection.
async fn rest_of(mut stream: TcpStream) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await?;
    Ok(bytes)
}

const EVENTS: &str = "GET /events HTTP/1.1\r\nhost: a\r\n\r\n";
const LIVE: &str = "GET /live HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\n\
    upgrade: websocket\r\nsec-websocket-version: 13\r\n\
    sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

async fn labels() -> anyhow::Result<()> {
    // A panic and an error are handed back at once, and the workers go on.
    let trial = Trial::new(LIMITS).await?;
    for parcel in [201, 202, 203, 204, 301, 1] {
        assert_eq!(trial.order(parcel).await?, 202);
    }
    sleep(2 * SECOND).await;
    assert_eq!(sorted(&trial.unfinished).len(), 5);
    let ended = trial.end("panics, an error").await?;
    assert_eq!(ended, (2.0, 1, vec![201, 202, 203, 204, 301]));

    // Four jobs that do not end, eight in the queue, and two without a place.
    let trial = Trial::new(LIMITS).await?;
    assert_eq!(trial.orders(101..=114).await, 12);
    let started = Arc::clone(&trial.started);
    let (seconds, rendered, unfinished) = trial.end("hanging jobs").await?;
    assert_eq!((seconds, rendered, unfinished.len()), (4.0, 0, 12));
    assert_eq!(sorted(&started).len(), 4);

    // A client waits for a place, and leaves before it is free. Another closes
    // its sending half, which hyper takes for the same.
    let trial = Trial::new(LIMITS).await?;
    assert_eq!(trial.orders(1..=12).await, 12);
    sleep(SECOND / 2).await;
    let request = "POST /labels/13 HTTP/1.1\r\nhost: a\r\n\r\n";
    drop(trial.connect(request).await?);
    let mut half_closed = trial.connect(request).await?;
    half_closed.shutdown().await?;
    assert!(rest_of(half_closed).await?.is_empty());
    assert_eq!(trial.end("a client leaves").await?, (2.3, 12, vec![]));

    // A client waits for a place when the queue closes.
    let trial = Trial::new([SECOND / 4, SECOND / 4, SECOND, SECOND]).await?;
    assert_eq!(trial.orders(101..=112).await, 12);
    let start = Instant::now();
    trial.begun.cancel();
    assert_eq!(trial.order(113).await?, 503);
    assert_eq!(start.elapsed().as_millis(), 500);
    let (_, rendered, unfinished) = trial.end("a full queue closes").await?;
    assert_eq!((rendered, unfinished.len()), (0, 12));
    Ok(())
}

async fn connections() -> anyhow::Result<()> {
    // What comes in the delay is served.
    let trial = Trial::new(LIMITS).await?;
    assert_eq!(trial.orders(1..=9).await, 9);
    assert_eq!(trial.ready().await?, 200);
    trial.begun.cancel();
    sleep(SECOND).await;
    assert_eq!(trial.ready().await?, 503);
    assert_eq!(trial.order(10).await?, 202);
    let address = trial.address;
    assert_eq!(trial.end("a request in the delay").await?, (2.0, 10, vec![]));
    assert!(TcpStream::connect(address).await.is_err());

    // Streams end with an end, so that their clients know.
    let trial = Trial::new(LIMITS).await?;
    let events = trial.connect(EVENTS).await?;
    let live = trial.connect(LIVE).await?;
    trial.scans.send("parcel 7 is in Ghent".into())?;
    assert_eq!(trial.end("open streams").await?, (2.0, 0, vec![]));
    let [events, live] = [rest_of(events).await?, rest_of(live).await?];
    assert!(events.ends_with(b"data: parcel 7 is in Ghent\n\n\r\n0\r\n\r\n"));
    assert!(live.ends_with(b"parcel 7 is in Ghent\x88\0"));

    // A client that does not read.
    let trial = Trial::new(LIMITS).await?;
    let live = trial.connect(LIVE).await?;
    trial.scans.send("7".repeat(50_000_000))?;
    sleep(SECOND).await;
    assert_eq!(
        trial.end("a client that does not read").await?,
        (3.0, 0, vec![])
    );
    drop(live);

    // Half a request.
    let trial = Trial::new(LIMITS).await?;
    assert_eq!(trial.orders(1..=4).await, 4);
    let slow = trial.connect("POST /labels/5 HTTP/1.1\r\nho").await?;
    assert_eq!(trial.end("half a request").await?, (5.0, 4, vec![]));
    drop(slow);
    Ok(())
}

/// What a process prints when it gets labels and then signals, and its end.
async fn process(
    mode: &str,
    parcels: &[u32],
    signals: &[Signal],
) -> anyhow::Result<(Vec<String>, ExitStatus)> {
    let mut child = Command::new(env::current_exe()?)
        .arg(mode)
        .stdout(Stdio::piped())
        .spawn()?;
    let pid = child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?));
    let stdout = child.stdout.take().expect("it is piped");
    let mut lines = BufReader::new(stdout).lines();
    let address = lines.next_line().await?.expect("an address");
    let client = Client::builder().no_proxy().build()?;
    for parcel in parcels {
        let url = format!("http://{address}/labels/{parcel}");
        client.post(url).send().await?.error_for_status()?;
    }
    let mut output = Vec::new();
    for signal in signals {
        kill_process(pid.expect("it runs"), *signal)?;
        output.extend(lines.next_line().await?); // the signal has arrived
    }
    while let Some(line) = lines.next_line().await? {
        output.push(line);
    }
    Ok((output, child.wait().await?))
}

async fn signals() -> anyhow::Result<()> {
    let start = std::time::Instant::now();
    for (name, signal) in [("SIGTERM", Signal::TERM), ("SIGINT", Signal::INT)] {
        let (output, end) = process("20", &[501, 401], &[signal]).await?;
        println!("{name}: {end}, it prints:\n{}", output.join("\n"));
        assert_eq!((output.len(), end.code()), (7, Some(0)));
        assert!(output[4].contains("not done"));
        assert_eq!(output[5..], ["unfinished: 401", "dropped"]);
    }
    let signals = [Signal::TERM, Signal::INT];
    let (output, end) = process("1", &[101], &signals).await?;
    println!("both: {end}, it prints:\n{}", output.join("\n"));
    assert_eq!((output.len(), end.code()), (1, Some(1)));

    let (output, end) = process("deaf", &[], &[Signal::TERM]).await?;
    println!("not listening: {end}");
    assert_eq!((output.len(), end.code()), (0, None));
    assert!(start.elapsed() < 10 * SECOND);
    Ok(())
}

/// Prints a line when it is dropped.
struct Guard;

impl Drop for Guard {
    fn drop(&mut self) {
        println!("dropped");
    }
}

fn main() -> anyhow::Result<()> {
    let Some(mode) = env::args().nth(1) else { return cases() };
    let _guard = Guard;
    if mode == "deaf" {
        println!("no address");
        loop {
            thread::park();
        }
    }
    let log = tracing_subscriber::fmt().without_time().with_target(false);
    log.with_ansi(false).init();
    let by: u32 = mode.parse()?;
    start("127.0.0.1:0", LIMITS.map(|limit| limit / by))
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn cases() -> anyhow::Result<()> {
    labels().await?;
    connections().await?;
    signals().await
}
// ANCHOR_END: all
