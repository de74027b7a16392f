// ANCHOR: all
// ANCHOR: keep
use std::future::Future;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

#[derive(Clone, Copy)]
struct Limits {
    backoff: Duration, // before the first restart; doubled for each further one
    restarts: u32,     // at most so many within `window`
    window: Duration,
    silence: Duration, // a task without a heartbeat for so long hangs
}

/// Restarts a task when it fails, panics or hangs. Returns when it ends
/// without an error, when it fails too often, or when it cannot be aborted.
async fn supervise<F: Future<Output = Result<()>> + Send + 'static>(
    name: &str,
    limits: Limits,
    token: CancellationToken,
    up_tx: watch::Sender<bool>,
    task: impl Fn(watch::Sender<bool>) -> F + Clone + Send + 'static,
) -> Result<()> {
    let mut failures = Vec::new();
    loop {
        // ANCHOR: run
        let (start, child_tx) = (task.clone(), up_tx.clone());
        let child = tokio::spawn(async move { start(child_tx).await });
        let mut child = AbortOnDropHandle::new(child);
        let end = tokio::select! {
            end = &mut child => end,
            () = until_silent(&up_tx, limits.silence) => {
                child.abort();
                let end = timeout(limits.silence, child).await;
                end.with_context(|| format!("{name} cannot be aborted"))?
            }
        };
        up_tx.send_replace(false);
        // ANCHOR_END: run
        // ANCHOR: end
        let error = match end {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => error,
            Err(error) if error.is_panic() => error.into(),
            Err(_) => anyhow!("no heartbeat"), // it was aborted
        };
        // ANCHOR_END: end
        // ANCHOR: restart
        failures.retain(|at: &Instant| at.elapsed() < limits.window);
        let count = failures.len() as u32;
        if count == limits.restarts || token.is_cancelled() {
            return Err(error.context(format!("{name} is not restarted")));
        }
        failures.push(Instant::now());
        let wait = limits.backoff.saturating_mul(2_u32.saturating_pow(count));
        tracing::error!("{name}, restart in {wait:?}: {error:#}");
        if token.run_until_cancelled(sleep(wait)).await.is_none() {
            return Ok(());
        }
        // ANCHOR_END: restart
    }
}

// ANCHOR: until_silent
/// Returns when the task has sent no heartbeat for `silence`.
async fn until_silent(up_tx: &watch::Sender<bool>, silence: Duration) {
    let mut up_rx = up_tx.subscribe();
    sleep(silence).await;
    while up_rx.has_changed().expect("a sender lives") {
        up_rx.mark_unchanged();
        sleep(silence).await; // a heartbeat does not wake it
    }
    up_tx.send_replace(false);
}
// ANCHOR_END: until_silent
// ANCHOR_END: keep

// Events that are stored, tasks that end in every way, and what must become of
// them.
use std::future::pending;
use std::io;
use std::mem;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, mpsc};

use anyhow::bail;
use async_channel::Receiver;
use tokio::runtime::{Builder, Runtime};

const SECOND: Duration = Duration::from_secs(1);

/// The parcels whose events are stored.
#[derive(Clone, Default)]
struct Store(Arc<Mutex<Vec<u32>>>);

impl Store {
    async fn add(&self, parcel: u32) -> Result<()> {
        sleep(if parcel == 50 { 20 } else { 1 } * SECOND).await;
        match parcel {
            13 => Err(anyhow!("disk full")).context("parcel 13")?,
            99 => panic!("parcel 99 has no address"),
            _ => self.0.lock().expect("no holder panics").push(parcel),
        }
        Ok(())
    }

    fn take(&self) -> Vec<u32> {
        mem::take(&mut self.0.lock().expect("no holder panics"))
    }
}

// ANCHOR: task
/// Stores events, and sends a heartbeat at least every ten seconds.
async fn store_events(
    events_rx: Receiver<u32>,
    store: Store,
    up_tx: watch::Sender<bool>,
    token: CancellationToken,
) -> Result<()> {
    loop {
        up_tx.send_replace(true); // the heartbeat
        let event = token.run_until_cancelled(events_rx.recv());
        match timeout(Duration::from_secs(10), event).await {
            Err(_) => {} // no event for 10 s
            Ok(Some(Ok(parcel))) => store.add(parcel).await?,
            Ok(Some(Err(_))) => bail!("no task sends events any more"),
            Ok(None) => return Ok(()), // cancelled
        }
    }
}
// ANCHOR_END: task

// ANCHOR: service
const LIMITS: Limits = Limits {
    backoff: Duration::from_secs(1),
    restarts: 5,
    window: Duration::from_secs(600),
    silence: Duration::from_secs(30),
};

/// What `main` does: it returns the error if the task is not restarted.
async fn run_service(
    events_rx: Receiver<u32>,
    store: Store,
    closing: CancellationToken, // cancelled at SIGTERM
    up_tx: watch::Sender<bool>, // `up_rx` is for readers, such as `is_up`
) -> Result<()> {
    let token = closing.clone();
    let task = move |up_tx| {
        let (events_rx, store) = (events_rx.clone(), store.clone());
        store_events(events_rx, store, up_tx, token.clone())
    };
    let supervisor = supervise("events", LIMITS, closing.clone(), up_tx, task);
    tokio::pin!(supervisor);
    tokio::select! {
        end = &mut supervisor => return end,
        () = closing.cancelled() => {}
    }
    timeout(Duration::from_secs(5), supervisor).await?
}

/// Whether the task runs. A supervisor that is dropped closes the channel.
fn is_up(up_rx: &watch::Receiver<bool>) -> bool {
    up_rx.has_changed().is_ok() && *up_rx.borrow()
}
// ANCHOR_END: service

/// A run of a task: what it does a second after its start.
async fn run(what: &str, up_tx: watch::Sender<bool>) -> Result<()> {
    if what == "mute" {
        pending::<()>().await;
    }
    up_tx.send_replace(true);
    if what == "fails later" {
        for _ in 0..20 {
            sleep(10 * SECOND).await;
            up_tx.send_replace(true);
        }
    }
    sleep(SECOND).await;
    match what {
        "ends" => Ok(()),
        "panics" => panic!("a comma in the price"),
        "hangs" => pending().await,
        _ => Err(anyhow!("disk full")).context("parcel 13"),
    }
}

/// How a supervisor has ended: after how many seconds and runs, and how.
type Ended = (u64, u32, String);

/// A supervised task. Its last run is repeated.
struct Trial {
    start: Instant,
    runs: Arc<AtomicU32>,
    token: CancellationToken,
    up_rx: watch::Receiver<bool>,
    supervisor: AbortOnDropHandle<Result<()>>,
}

impl Trial {
    fn new(script: &[&'static str]) -> Self {
        let (runs, token) =
            (Arc::new(AtomicU32::new(0)), CancellationToken::new());
        let (up_tx, up_rx) = watch::channel(false);
        let (counter, script) = (Arc::clone(&runs), script.to_vec());
        let task = move |up_tx| {
            let index = counter.fetch_add(1, Relaxed) as usize;
            run(script[index.min(script.len() - 1)], up_tx)
        };
        let supervisor =
            supervise("prices", LIMITS, token.clone(), up_tx, task);
        let supervisor = AbortOnDropHandle::new(tokio::spawn(supervisor));
        Trial { start: Instant::now(), runs, token, up_rx, supervisor }
    }

    /// Waits for its end, and prints it with the log.
    async fn end(self, case: &str, log: &Log) -> Result<Ended> {
        let end = match self.supervisor.await? {
            Ok(()) => "ended".to_owned(),
            Err(error) => format!("{error:#}"),
        };
        assert!(!is_up(&self.up_rx));
        let seconds = self.start.elapsed().as_secs();
        let runs = self.runs.load(Relaxed);
        print!("{case}: {seconds} s, runs: {runs}, {end}\n{}", log.take());
        Ok((seconds, runs, end))
    }
}

/// The lines of the log since the last call, indented.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn take(&self) -> String {
        let bytes = mem::take(&mut *self.0.lock().expect("no holder panics"));
        let text = String::from_utf8(bytes).expect("text");
        text.lines().map(|line| format!("  {line}\n")).collect()
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

/// The task does not reach an await until it is released.
fn blocks() -> Result<()> {
    let mut builder = Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).enable_all().build()?;
    let (released_tx, released) = mpsc::channel::<()>();
    let released = Arc::new(Mutex::new(released));
    let runs = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&runs);
    let task = move |up_tx: watch::Sender<bool>| {
        counter.fetch_add(1, Relaxed);
        let released = Arc::clone(&released);
        async move {
            sleep(Duration::from_millis(1)).await; // the supervisor waits
            up_tx.send_replace(true);
            released.lock().expect("no holder panics").recv()?;
            drop(up_tx);
            Ok(())
        }
    };
    let silence = Duration::from_millis(200);
    let limits = Limits { silence, ..LIMITS };
    let (up_tx, up_rx) = watch::channel(false);
    let token = CancellationToken::new();
    let supervisor = supervise("prices", limits, token, up_tx, task);
    let supervisor = runtime.spawn(supervisor);
    let error = block_on(&runtime, supervisor)?.expect_err("it blocks");
    println!("blocks its thread: {error:#}");
    assert_eq!(runs.load(Relaxed), 1, "no second task starts beside it");
    assert!(!is_up(&up_rx));
    drop(released_tx);
    Ok(())
}

/// The service: of five events, storing one fails, and storing one panics.
async fn service(log: &Log) -> Result<()> {
    let (events_tx, events_rx) = async_channel::bounded(8);
    let (store, closing) = (Store::default(), CancellationToken::new());
    let (up_tx, up_rx) = watch::channel(false);
    let service = run_service(events_rx, store.clone(), closing.clone(), up_tx);
    let service = tokio::spawn(service);
    assert!(!is_up(&up_rx));
    for parcel in [1, 13, 2, 99, 3] {
        events_tx.send(parcel).await?;
    }
    let mut up = Vec::new();
    sleep(SECOND / 2).await;
    for _ in 0..9 {
        up.push(is_up(&up_rx));
        sleep(SECOND).await;
    }
    assert_eq!(up, [1, 1, 0, 1, 1, 0, 0, 1, 1].map(|up| up == 1));
    closing.cancel();
    service.await??;
    assert!(!is_up(&up_rx));
    let (stored, lines) = (store.take(), log.take());
    print!("stored: {stored:?}\n{lines}");
    assert!(lines.contains("events, restart in 1s: parcel 13: disk full"));
    assert!(lines.contains("message \"parcel 99 has no address\""));
    assert_eq!(stored, [1, 2, 3]);
    Ok(())
}

/// The service's shutdown has a limit.
async fn slow_service() -> Result<()> {
    let (events_tx, events_rx) = async_channel::bounded(8);
    let (store, closing) = (Store::default(), CancellationToken::new());
    let (up_tx, up_rx) = watch::channel(false);
    events_tx.send(50).await?; // takes 20 s
    let service = run_service(events_rx, store.clone(), closing.clone(), up_tx);
    let service = tokio::spawn(service);
    sleep(SECOND).await;
    let start = Instant::now();
    closing.cancel();
    let error = service.await?.expect_err("a limit");
    println!("slow at the shutdown: {error}");
    assert_eq!(start.elapsed(), 5 * SECOND);
    sleep(60 * SECOND).await;
    assert!(store.take().is_empty() && !is_up(&up_rx), "it is aborted");
    Ok(())
}

/// The token is cancelled at some time after the start.
async fn cancelled(case: &str, at: Duration, log: &Log) -> Result<Ended> {
    let trial = Trial::new(&["fails"]);
    sleep(at).await;
    trial.token.cancel();
    trial.end(case, log).await
}

/// The owner of the supervisor drops it.
async fn dropped() {
    let trial = Trial::new(&["hangs"]);
    sleep(2 * SECOND).await;
    assert!(is_up(&trial.up_rx));
    drop(trial.supervisor);
    sleep(SECOND).await;
    let alive = Arc::strong_count(&trial.runs) - 1;
    println!("dropped: tasks: {alive}");
    assert!(alive == 0 && !is_up(&trial.up_rx));
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<()> {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .without_time()
        .with_level(false)
        .with_target(false)
        .with_writer(move || writer.clone());
    let _subscriber = tracing::subscriber::set_default(subscriber.finish());
    // ANCHOR: stored
    service(&log).await?;
    // ANCHOR_END: stored

    slow_service().await?;

    let gives_up = "prices is not restarted: parcel 13: disk full";
    let mut rarely = vec!["fails later"; 7];
    rarely.push("ends");
    // What the runs do, and then: seconds, runs, and the end.
    for (case, script, seconds, runs, end) in [
        ("ends", vec!["ends"], 1, 1, "ended"),
        ("fails, panics", vec!["fails", "panics", "ends"], 6, 3, "ended"),
        ("hangs", vec!["hangs", "ends"], 62, 2, "ended"),
        ("hangs at the start", vec!["mute", "ends"], 32, 2, "ended"),
        ("fails each time", vec!["fails"], 37, 6, gives_up),
        ("fails every 200 s", rarely, 1431, 8, "ended"),
    ] {
        let ended = Trial::new(&script).end(case, &log).await?;
        assert_eq!(ended, (seconds, runs, end.to_owned()), "{case}");
    }
    let ended = cancelled("cancelled, then fails", SECOND / 2, &log).await?;
    assert_eq!(ended, (1, 1, gives_up.to_owned()));
    let ended = cancelled("cancelled in a wait", SECOND * 3 / 2, &log).await?;
    assert_eq!(ended, (1, 1, "ended".to_owned()));
    dropped().await;

    let error = anyhow!("disk full").context("parcel 13");
    // ANCHOR: broken
    tracing::error!("{error}");
    // ANCHOR_END: broken
    // ANCHOR: fixed
    tracing::error!("{error:#}");
    // ANCHOR_END: fixed
    let lines = log.take();
    print!("without and with the cause:\n{lines}");
    assert_eq!(lines, "  parcel 13\n  parcel 13: disk full\n");
    std::thread::spawn(blocks).join().expect("no panic")
}
// ANCHOR_END: all
