// ANCHOR: all
// ANCHOR: keep
use std::future::Future;
use std::io;
use std::sync::Mutex;
use std::time::Duration;

use thiserror::Error;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinError;
use tokio::time;

/// Why a future has no value.
#[derive(Debug, Error)]
pub enum RunError {
    #[error("the future has not ended in time")]
    Timeout,
    #[error(transparent)]
    Panicked(JoinError), // it has the panic's text
    #[error("the bridge is closed")]
    Closed,
}

/// Runs futures for sync code, on a runtime of its own.
pub struct Bridge {
    handle: Handle,
    runtime: Mutex<Option<Runtime>>, // `None` when it is closed
}

impl Bridge {
    // ANCHOR: new
    pub fn new() -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("bridge")
            .enable_all()
            .build()?;
        let handle = runtime.handle().clone();
        Ok(Bridge { handle, runtime: Mutex::new(Some(runtime)) })
    }
    // ANCHOR_END: new

    // ANCHOR: run
    /// Runs a future, and blocks the caller's thread until the future ends.
    ///
    /// # Panics
    ///
    /// In an async function. Await the future there.
    pub fn run<T, F>(&self, timeout: Duration, future: F) -> Result<T, RunError>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let task = async { tokio::spawn(time::timeout(timeout, future)).await };
        match self.handle.block_on(task) {
            Ok(end) => end.map_err(|_| RunError::Timeout),
            Err(error) if error.is_panic() => Err(RunError::Panicked(error)),
            Err(_) => Err(RunError::Closed),
        }
    }
    // ANCHOR_END: run

    // ANCHOR: close
    /// Ends the runtime, and does not wait. Open and later calls are `Closed`.
    pub fn close(&self) {
        let runtime = self.runtime.lock().expect("no panic").take();
        if let Some(runtime) = runtime {
            runtime.shutdown_background(); // a drop may wait, or panic
        }
    }
    // ANCHOR_END: close
}

impl Drop for Bridge {
    fn drop(&mut self) {
        self.close();
    }
}
// ANCHOR_END: keep

// ANCHOR: fixed_here
/// Runs a future that borrows, or is not `Send`, on the caller's thread.
fn run_here<T>(
    runtime: &Runtime,
    token: &CancellationToken,
    timeout: Duration,
    future: impl Future<Output = T>,
) -> Result<T, RunError> {
    let limited = async { time::timeout(timeout, future).await };
    let end = runtime.block_on(token.run_until_cancelled(limited));
    end.ok_or(RunError::Closed)?.map_err(|_| RunError::Timeout)
}
// ANCHOR_END: fixed_here

// A carrier's client, and threads that call it.
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Instant;

use anyhow::{Result, anyhow, bail, ensure};
use tokio::sync::{Barrier, Notify};
use tokio::task::spawn_blocking;
use tokio::time::error::Elapsed;
use tokio_util::sync::CancellationToken;

const MS: Duration = Duration::from_millis(1);
const LONG: Duration = Duration::from_secs(30);

/// An async client. It counts the calls that have begun, and that have ended.
#[derive(Clone, Default)]
struct Carrier {
    begun: Arc<AtomicU32>,
    ended: Arc<AtomicU32>,
    reply: Arc<Notify>,
}

/// A call. It ends when it is dropped.
struct Call<'a>(&'a Carrier);

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Relaxed);
    }
}

impl Carrier {
    async fn track(&self, parcel: u32) -> Result<String> {
        self.begun.fetch_add(1, Relaxed);
        let _call = Call(self);
        time::sleep(MS).await; // a request, which needs the runtime's timers
        match parcel {
            0 => self.reply.notified().await,
            1 => thread::sleep(100 * MS),
            13 => bail!("404 Not Found"),
            21 => time::timeout(MS, pending()).await?,
            22 => {
                tokio::spawn(async { panic!("an event of parcel 22") }).await?
            }
            23 => {
                let task = tokio::spawn(pending());
                task.abort();
                task.await?
            }
            99 => panic!("parcel 99 has no events"),
            _ => {}
        }
        Ok("in transit".into())
    }

    fn begun(&self) -> u32 {
        self.begun.load(Relaxed)
    }
}

// ANCHOR: client
struct SyncCarrier {
    carrier: Carrier,
    bridge: Bridge,
}

impl SyncCarrier {
    fn track(&self, timeout: Duration, parcel: u32) -> Result<String> {
        let carrier = self.carrier.clone();
        let future = async move { carrier.track(parcel).await };
        self.bridge.run(timeout, future)?
    }
}
// ANCHOR_END: client

// ANCHOR: broken_here
fn track_here(
    runtime: &Runtime,
    carrier: &Carrier,
    parcel: u32,
) -> Result<String> {
    runtime.block_on(carrier.track(parcel))
}
// ANCHOR_END: broken_here

/// What the caller gets, in a word.
fn word(result: Result<String>) -> String {
    let Err(error) = result else { return "a status".into() };
    match error.downcast_ref() {
        Some(RunError::Timeout) => {
            assert_eq!(error.to_string(), "the future has not ended in time");
            "Timeout".into()
        }
        Some(RunError::Panicked(panic)) => {
            assert!(panic.to_string().contains("parcel 99 has no events"));
            assert_eq!(panic.to_string(), error.to_string());
            "Panicked".into()
        }
        Some(RunError::Closed) => {
            assert_eq!(error.to_string(), "the bridge is closed");
            "Closed".into()
        }
        None if error.is::<Elapsed>() => "the future's Elapsed".into(),
        None if error.is::<JoinError>() => "the future's JoinError".into(),
        None => error.to_string(),
    }
}

/// Waits until no call runs: the runtime drops a future on its own thread.
fn wait_for_none(carrier: &Carrier) {
    let start = Instant::now();
    while carrier.ended.load(Relaxed) < carrier.begun() {
        assert!(start.elapsed() < LONG, "a call runs on");
        thread::sleep(MS);
    }
}

fn print(case: &str, got: String, expected: &str) {
    println!("{case}: {got}");
    assert_eq!(got, expected);
}

fn main() -> Result<()> {
    let carrier = Carrier::default();
    // ANCHOR: call
    let bridge = Bridge::new()?;
    let client = SyncCarrier { carrier: carrier.clone(), bridge };
    let status = client.track(Duration::from_secs(5), 7)?;
    // ANCHOR_END: call
    println!("parcel 7: {status}");
    assert_eq!(status, "in transit");

    // Eight threads call at once: each future waits for the other seven.
    let meeting = Arc::new(Barrier::new(8));
    thread::scope(|scope| {
        let callers = [(); 8].map(|()| {
            let meeting = Arc::clone(&meeting);
            let future = async move {
                meeting.wait().await;
                let name = thread::current().name().map(str::to_owned);
                ensure!(name.as_deref() == Some("bridge"));
                Ok(())
            };
            scope.spawn(|| client.bridge.run(LONG, future))
        });
        for caller in callers {
            caller.join().map_err(|_| anyhow!("a panic"))???;
        }
        anyhow::Ok(())
    })?;
    println!("eight threads: 8 replies");

    let track = |timeout, parcel| word(client.track(timeout, parcel));
    print("an error", track(LONG, 13), "404 Not Found");
    print("a panic", track(LONG, 99), "Panicked");
    print("after it", track(LONG, 7), "a status");
    print("silent", track(20 * MS, 0), "Timeout");
    print("its own timeout", track(LONG, 21), "the future's Elapsed");
    print("its task panics", track(LONG, 22), "the future's JoinError");
    print("its task is aborted", track(LONG, 23), "the future's JoinError");
    wait_for_none(&carrier);

    let start = Instant::now();
    print("blocks its thread", track(50 * MS, 1), "a status");
    assert!(start.elapsed() >= 100 * MS);

    // A call beside one that blocks the only thread until it gets `go`.
    let client = Arc::new(client);
    assert_eq!(client.bridge.handle.metrics().num_workers(), 1);
    let (started_tx, started_rx) = mpsc::channel();
    let (go_tx, go_rx) = mpsc::channel();
    let blocks = async move {
        started_tx.send(())?;
        anyhow::Ok(go_rx.recv()?)
    };
    let call = |call: fn(&SyncCarrier) -> String| {
        let client = Arc::clone(&client);
        thread::spawn(move || call(&client))
    };
    let other = Arc::clone(&client);
    let other = thread::spawn(move || other.bridge.run(LONG, blocks));
    started_rx.recv()?;
    let caller = call(|client| word(client.track(MS, 0)));
    thread::sleep(50 * MS);
    assert!(!caller.is_finished());
    go_tx.send(())?;
    let end = caller.join().map_err(|_| anyhow!("a panic"))?;
    print("beside it", end, "Timeout");
    other.join().map_err(|_| anyhow!("a panic"))???;

    let outer = Runtime::new()?;
    let before = carrier.begun();
    let text = outer.block_on(async {
        let call = AssertUnwindSafe(|| client.track(LONG, 7));
        let panic = catch_unwind(call).map(drop).expect_err("a panic");
        let panic = panic.downcast::<&str>().expect("a text");
        panic.split('.').next().unwrap_or_default().to_owned()
    });
    let expected = "Cannot start a runtime from within a runtime";
    print("in an async function", text, expected);
    assert_eq!(carrier.begun(), before, "nothing has begun");

    let inner = Arc::clone(&client);
    let job = outer.spawn_blocking(move || word(inner.track(LONG, 7)));
    print("in spawn_blocking", outer.block_on(job)?, "a status");

    // The bridge is closed while a call runs, which is silent.
    let before = carrier.begun();
    let caller = call(|client| word(client.track(LONG, 0)));
    while carrier.begun() == before {
        thread::sleep(MS);
    }
    client.bridge.close();
    let end = caller.join().map_err(|_| anyhow!("a panic"))?;
    print("closed within a call", end, "Closed");
    wait_for_none(&carrier);
    let before = carrier.begun();
    print("closed before", word(client.track(LONG, 7)), "Closed");
    assert_eq!(carrier.begun(), before);

    // Dropped in an async function, while a blocking job runs.
    let bridge = Bridge::new()?;
    let (started_tx, started_rx) = mpsc::channel();
    let (go_tx, go_rx) = mpsc::channel();
    let (ended_tx, ended_rx) = mpsc::channel();
    let job = move || {
        _ = started_tx.send(());
        _ = ended_tx.send(go_rx.recv());
    };
    bridge.run(LONG, async { drop(spawn_blocking(job)) })?;
    started_rx.recv()?;
    outer.block_on(async { drop(bridge) });
    go_tx.send(())?;
    ended_rx.recv()??;
    println!("dropped in an async function: no panic, a job runs on");

    // A future that borrows, and waits for a silent carrier.
    let before = carrier.begun();
    let status = thread::scope(|scope| {
        let caller = scope.spawn(|| track_here(&outer, &carrier, 0));
        while carrier.begun() == before {
            thread::sleep(MS);
        }
        thread::sleep(50 * MS);
        assert!(!caller.is_finished());
        carrier.reply.notify_one();
        caller.join().map_err(|_| anyhow!("a panic"))?
    })?;
    assert_eq!(status, "in transit");
    println!("block_on alone: waits until the carrier replies");

    // Futures that borrow the carrier, and that are not `Send`.
    let token = CancellationToken::new();
    let here = |timeout, parcel| -> Result<String> {
        let local = Rc::new(&carrier);
        let future = async move { local.track(parcel).await };
        run_here(&outer, &token, timeout, future)?
    };
    let here = |timeout, parcel| word(here(timeout, parcel));
    print("borrowed", here(LONG, 7), "a status");
    print("borrowed, an error", here(LONG, 13), "404 Not Found");
    print("borrowed, silent", here(20 * MS, 0), "Timeout");
    print("borrowed, its own timeout", here(LONG, 21), "the future's Elapsed");
    assert_eq!(carrier.ended.load(Relaxed), carrier.begun());
    let panic = catch_unwind(AssertUnwindSafe(|| here(LONG, 99)));
    let panic = panic.expect_err("a panic").downcast::<&str>();
    assert_eq!(*panic.expect("a text"), "parcel 99 has no events");
    println!("borrowed, a panic: unwinds the caller's thread");
    let before = carrier.begun();
    let end = thread::scope(|scope| {
        scope.spawn(|| {
            while carrier.begun() == before {
                thread::sleep(MS);
            }
            token.cancel();
        });
        here(LONG, 0)
    });
    print("borrowed, cancelled", end, "Closed");
    let before = carrier.begun();
    print("borrowed, cancelled before", here(LONG, 7), "Closed");
    assert_eq!(carrier.begun(), before);
    assert_eq!(carrier.ended.load(Relaxed), before);
    Ok(())
}
// ANCHOR_END: all
