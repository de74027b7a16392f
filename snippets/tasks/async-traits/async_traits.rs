// ANCHOR: all
// ANCHOR: keep
use std::collections::HashMap;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures::future::{BoxFuture, FutureExt};
use tokio::time::{Instant, sleep, timeout};

// ANCHOR: carrier
/// The methods that each carrier has.
trait Carrier: Send + Sync {
    fn track(&self, id: u32) -> impl Future<Output = Result<String>> + Send;
}
// ANCHOR_END: carrier

// ANCHOR: timed
/// Awaits a future. Returns its output, and how long it took.
async fn timed<F: Future>(future: F) -> (F::Output, Duration) {
    let start = Instant::now();
    (future.await, start.elapsed())
}
// ANCHOR_END: timed

// ANCHOR: retry
/// Calls an async function until it succeeds, up to `attempts` times.
async fn retry<T, F>(
    attempts: u32,
    pause: Duration,
    function: impl Fn() -> F,
) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    for _ in 1..attempts {
        if let Ok(output) = function().await {
            return Ok(output);
        }
        sleep(pause).await;
    }
    function().await
}
// ANCHOR_END: retry

/// An async function of any type, for a parcel's id. Its future is in a box.
type Handler = Box<dyn Fn(u32) -> BoxFuture<'static, Result<()>> + Send + Sync>;

/// A handler for each kind of event.
struct Handlers {
    handlers: HashMap<String, Handler>,
    timeout: Duration,
}

impl Handlers {
    // ANCHOR: on
    fn on<F>(
        &mut self,
        kind: &str,
        handler: impl Fn(u32) -> F + Send + Sync + 'static,
    ) where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        let boxed = move |id| handler(id).boxed();
        self.handlers.insert(kind.to_owned(), Box::new(boxed));
    }
    // ANCHOR_END: on

    // ANCHOR: handle
    async fn handle(&self, kind: &str, id: u32) -> Result<()> {
        let handler = self.handlers.get(kind).context("no handler")?;
        // The call is in the block, so that its panic is caught, too.
        let call = AssertUnwindSafe(async { handler(id).await });
        match timeout(self.timeout, call.catch_unwind()).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => bail!("the handler panicked"),
            Err(_) => bail!("the handler took too long"),
        }
    }
    // ANCHOR_END: handle
}
// ANCHOR_END: keep

// A carrier that fails at first, and handlers that fail in each way.
use std::future::{pending, ready};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread;

use anyhow::anyhow;
use tokio::runtime::Builder;
use tokio::task::yield_now;

const SECOND: Duration = Duration::from_secs(1);

/// A test's carrier. A request takes a second, and the first ones fail.
struct FakeCarrier {
    failures: u32,
    requests: AtomicU32,
}

impl FakeCarrier {
    fn new(failures: u32) -> Arc<Self> {
        Arc::new(FakeCarrier { failures, requests: AtomicU32::new(0) })
    }
}

impl Carrier for FakeCarrier {
    async fn track(&self, id: u32) -> Result<String> {
        let request = self.requests.fetch_add(1, Relaxed);
        sleep(SECOND).await;
        if request < self.failures {
            bail!("503 in request {}", request + 1);
        }
        Ok(format!("parcel {id} is delivered"))
    }
}

/// Counts the handlers that run.
#[derive(Clone, Default)]
struct Running(Arc<()>);

impl Running {
    fn count(&self) -> usize {
        Arc::strong_count(&self.0) - 1
    }
}

// ANCHOR: call
/// Registers the handler of an event, for a carrier of any type.
fn register<C: Carrier + 'static>(handlers: &mut Handlers, carrier: Arc<C>) {
    let pause = Duration::from_secs(1);
    handlers.on("delivered", move |id| {
        let carrier = Arc::clone(&carrier); // one for each call
        async move {
            let status = retry(3, pause, || carrier.track(id));
            let (status, time) = timed(status).await;
            println!("{}, after {} s", status?, time.as_secs());
            Ok(())
        }
    });
}
// ANCHOR_END: call

/// What a call of a handler returned, as text.
fn text(result: &Result<()>) -> String {
    match result {
        Ok(()) => "Ok".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<()> {
    let start = Instant::now();
    let carrier = FakeCarrier::new(2);
    let counted = Arc::clone(&carrier);
    // ANCHOR: called
    let limit = Duration::from_secs(10);
    let mut handlers = Handlers { handlers: HashMap::new(), timeout: limit };
    register(&mut handlers, carrier);
    handlers.handle("delivered", 7).await?;
    // ANCHOR_END: called
    assert_eq!(start.elapsed(), 5 * SECOND, "3 requests, 2 pauses");
    assert_eq!(counted.requests.load(Relaxed), 3);

    // `retry` and `timed`, alone.
    for (attempts, requests) in [(0, 1), (1, 1), (3, 3)] {
        let carrier = FakeCarrier::new(9);
        let request = retry(attempts, 4 * SECOND, || carrier.track(7));
        let (status, time) = timed(request).await;
        let error = status.expect_err("all fail").to_string();
        assert_eq!(error, format!("503 in request {requests}"));
        assert_eq!(carrier.requests.load(Relaxed), requests);
        assert_eq!(time, (5 * requests - 4) * SECOND);
        println!("attempts = {attempts}: {error}, {} s", time.as_secs());
    }

    let calls = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&calls);
    let panics = retry(3, SECOND, move || {
        counted.fetch_add(1, Relaxed);
        async { panic!("in an attempt") }
    });
    let end: Result<Result<()>, _> = tokio::spawn(panics).await;
    let is_panic = end.is_err_and(|error| error.is_panic());
    println!("a panic: {is_panic}, {} call", calls.load(Relaxed));
    assert!(is_panic && calls.load(Relaxed) == 1);

    // Handlers that fail in each way.
    let (running, sent) = (Running::default(), Arc::new(Mutex::default()));
    let counted = running.clone();
    handlers.on("silent", move |_| {
        let counted = counted.clone();
        async move {
            let _counted = counted;
            pending().await
        }
    });
    handlers.on("fails", |id| async move { Err(anyhow!("no parcel {id}")) });
    handlers.on("panics", |id| async move {
        yield_now().await;
        panic!("parcel {id}")
    });
    handlers.on("panics at once", |id| {
        assert_ne!(id, 7, "a panic before there is a future");
        ready(Ok(()))
    });
    handlers.on("replaced", |_| async { panic!("it is replaced") });
    let sends = Arc::clone(&sent);
    handlers.on("replaced", move |id| {
        let sends: Arc<Mutex<Vec<u32>>> = Arc::clone(&sends);
        async move {
            yield_now().await;
            sends.lock().expect("no panic within").push(id);
            Ok(())
        }
    });

    // ANCHOR: shared
    let handlers = Arc::new(handlers);
    let shared = Arc::clone(&handlers);
    let task = tokio::spawn(async move { shared.handle("fails", 7).await });
    // ANCHOR_END: shared
    let result = task.await?;
    println!("fails: {}", text(&result));
    assert_eq!(text(&result), "no parcel 7");

    for (kind, expected) in [
        ("unknown", "no handler"),
        ("panics", "the handler panicked"),
        ("panics at once", "the handler panicked"),
        ("replaced", "Ok"),
    ] {
        let result = handlers.handle(kind, 7).await;
        println!("{kind}: {}", text(&result));
        assert_eq!(text(&result), expected);
    }
    assert!(handlers.handle("panics at once", 8).await.is_ok());
    assert_eq!(*sent.lock().expect("no panic within"), [7]);

    let idle = running.count();
    let start = Instant::now();
    let result = handlers.handle("silent", 7).await;
    println!("silent: {}, {:?}", text(&result), start.elapsed());
    assert_eq!(text(&result), "the handler took too long");
    assert_eq!(start.elapsed(), 10 * SECOND);
    assert_eq!(running.count(), idle, "it is dropped");

    // The caller gives up before.
    let given_up = timeout(SECOND, async {
        let call = handlers.handle("silent", 7);
        let (_, running) = tokio::join!(call, async {
            yield_now().await;
            assert_eq!(running.count(), idle + 1, "it runs");
        });
        running
    });
    assert!(given_up.await.is_err());
    println!("cancelled: {} handlers run", running.count() - idle);
    assert_eq!(running.count(), idle);

    // Two callers of one handler, at the same time.
    let start = Instant::now();
    let (one, two) = tokio::join!(
        handlers.handle("delivered", 8),
        handlers.handle("delivered", 8),
    );
    one.and(two)?;
    println!("two callers: {:?}", start.elapsed());
    assert_eq!(start.elapsed(), SECOND);

    // On the real clock: the paused one does not see a thread that computes.
    let thread = thread::spawn(|| {
        let runtime = Builder::new_current_thread().enable_time().build()?;
        runtime.block_on(computes())
    });
    thread.join().expect("no panic")
}

/// Handlers that compute for longer than the timeout.
async fn computes() -> Result<()> {
    let limit = Duration::from_millis(20);
    let mut handlers = Handlers { handlers: HashMap::new(), timeout: limit };
    handlers.on("computes", move |_| async move {
        thread::sleep(2 * limit);
        Ok(())
    });
    handlers.on("computes, then awaits", move |_| async move {
        thread::sleep(2 * limit);
        sleep(30 * SECOND).await;
        Ok(())
    });
    for (kind, expected) in [
        ("computes", "Ok"),
        ("computes, then awaits", "the handler took too long"),
    ] {
        let start = std::time::Instant::now();
        let result = handlers.handle(kind, 7).await;
        println!("{kind}: {}", text(&result));
        assert_eq!(text(&result), expected);
        assert!(start.elapsed() >= 2 * limit, "the caller is blocked");
    }
    Ok(())
}
// ANCHOR_END: all
