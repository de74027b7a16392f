// ANCHOR: all
// ANCHOR: keep
use std::future::Future;
use std::io;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::Result;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::time;

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
    /// A timeout is an `Elapsed`. A `JoinError` says that the future has
    /// panicked, or that the bridge is closed.
    ///
    /// # Panics
    ///
    /// In an async function. Await the future there.
    pub fn run<T, F>(&self, timeout: Duration, future: F) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let task = async { tokio::spawn(time::timeout(timeout, future)).await };
        self.handle.block_on(task)??
    }
    // ANCHOR_END: run

    // ANCHOR: close
    /// Ends the runtime, and does not wait. Calls that run, and later ones, get
    /// a `JoinError`.
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

// A carrier's client, and threads that call it.
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Instant;

use anyhow::{anyhow, bail};
use tokio::sync::Barrier;
use tokio::task::{JoinError, spawn_blocking};
use tokio::time::error::Elapsed;

const MS: Duration = Duration::from_millis(1);
const LONG: Duration = Duration::from_secs(30);

/// An async client. It counts the calls that have begun, and that have ended.
#[derive(Clone, Default)]
struct Carrier {
    begun: Arc<AtomicU32>,
    ended: Arc<AtomicU32>,
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
            0 => pending().await,
            1 => thread::sleep(100 * MS),
            13 => bail!("404 Not Found"),
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
        self.bridge.run(timeout, future)
    }
}
// ANCHOR_END: client

/// What the caller gets, in a word.
fn word(result: Result<String>) -> String {
    let Err(error) = result else { return "a status".into() };
    match error.downcast_ref::<JoinError>() {
        Some(error) if error.is_panic() => {
            assert!(error.to_string().contains("parcel 99 has no events"));
            "a panic, as an error".into()
        }
        Some(error) if error.is_cancelled() => "cancelled".into(),
        _ if error.is::<Elapsed>() => "a timeout".into(),
        _ => error.to_string(),
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
                anyhow::ensure!(name.as_deref() == Some("bridge"));
                Ok(())
            };
            scope.spawn(|| client.bridge.run(LONG, future))
        });
        for caller in callers {
            caller.join().map_err(|_| anyhow!("a panic"))??;
        }
        anyhow::Ok(())
    })?;
    println!("eight threads: 8 replies");

    let track = |timeout, parcel| word(client.track(timeout, parcel));
    print("an error", track(LONG, 13), "404 Not Found");
    print("a panic", track(LONG, 99), "a panic, as an error");
    print("after it", track(LONG, 7), "a status");
    print("silent", track(20 * MS, 0), "a timeout");
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
        Ok(go_rx.recv()?)
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
    print("beside it", end, "a timeout");
    other.join().map_err(|_| anyhow!("a panic"))??;

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
    print("closed within a call", end, "cancelled");
    wait_for_none(&carrier);
    let before = carrier.begun();
    print("closed before", word(client.track(LONG, 7)), "cancelled");
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
    bridge.run(LONG, async {
        drop(spawn_blocking(job));
        Ok(())
    })?;
    started_rx.recv()?;
    outer.block_on(async { drop(bridge) });
    go_tx.send(())?;
    ended_rx.recv()??;
    println!("dropped in an async function: no panic, a job runs on");
    Ok(())
}
// ANCHOR_END: all
