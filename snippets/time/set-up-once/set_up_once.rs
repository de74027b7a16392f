// ANCHOR: all
// ANCHOR: keep
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio::time::{Instant, timeout};

/// An error that several callers share.
#[derive(Clone, Debug, thiserror::Error)]
#[error(transparent)]
struct Failure(Arc<anyhow::Error>);

struct Lazy<T> {
    cell: OnceCell<T>,
    failed: Mutex<Option<(Instant, Failure)>>,
    timeout: Duration, // of one attempt
    pause: Duration,   // after a failed attempt
}

impl<T: Send + Sync + 'static> Lazy<T> {
    // ANCHOR: new
    fn new(timeout: Duration, pause: Duration) -> Self {
        let (cell, failed) = (OnceCell::new(), Mutex::new(None));
        Lazy { cell, failed, timeout, pause }
    }
    // ANCHOR_END: new

    // ANCHOR: get
    /// The value. If there is none, `init` makes it, in a task that goes on
    /// when the caller is dropped.
    async fn get<I, F>(self: &Arc<Self>, init: I) -> Result<&T, Failure>
    where
        I: FnOnce() -> F + Send + 'static,
        F: Future<Output = anyhow::Result<T>> + Send + 'static,
    {
        if self.cell.get().is_none() {
            let (lazy, came) = (Arc::clone(self), Instant::now());
            let task = tokio::spawn(async move {
                let attempt = || lazy.attempt(came, init);
                lazy.cell.get_or_try_init(attempt).await.map(|_| ())
            });
            task.await.map_err(|error| Failure(Arc::new(error.into())))??;
        }
        Ok(self.cell.get().expect("it has been set"))
    }
    // ANCHOR_END: get

    // ANCHOR: attempt
    async fn attempt<I, F>(&self, came: Instant, init: I) -> Result<T, Failure>
    where
        I: FnOnce() -> F + Send + 'static,
        F: Future<Output = anyhow::Result<T>> + Send + 'static,
    {
        // One that has failed since the caller came, or in the pause.
        match self.failed.lock().expect("no panic").clone() {
            Some((until, failure)) if came < until => return Err(failure),
            _ => {}
        }
        let init = timeout(self.timeout, async { init().await });
        let task = tokio::spawn(init); // catches a panic
        let result = async { task.await?? };
        result.await.map_err(|error| {
            let failure = Failure(Arc::new(error));
            let failed = (Instant::now() + self.pause, failure.clone());
            *self.failed.lock().expect("no panic") = Some(failed);
            failure
        })
    }
    // ANCHOR_END: attempt
}
// ANCHOR_END: keep

// A session with a carrier, and what must come of it.
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use anyhow::{Context, ensure};
use futures::future::{FutureExt, join_all};
use tokio::task::JoinError;
use tokio::time::{error::Elapsed, sleep};

const SECOND: Duration = Duration::from_secs(1);

/// How many attempts were begun.
static ATTEMPTS: AtomicU32 = AtomicU32::new(0);

struct Session {
    number: u32,
}

/// Signs in at the carrier, in ten seconds.
async fn sign_in(case: &'static str) -> anyhow::Result<Session> {
    let number = ATTEMPTS.fetch_add(1, Relaxed) + 1;
    if case == "silent" {
        std::future::pending().await
    }
    sleep(10 * SECOND).await;
    assert_ne!(case, "panics", "a comma in the password");
    ensure!(case != "fails", "503 Service Unavailable");
    Ok(Session { number })
}

type Sessions = Arc<Lazy<Session>>;

fn sessions() -> Sessions {
    Arc::new(Lazy::new(30 * SECOND, 60 * SECOND))
}

async fn get(sessions: &Sessions, case: &'static str) -> Result<u32, Failure> {
    let session = sessions.get(move || sign_in(case)).await?;
    Ok(session.number)
}

/// The end of twenty callers, and how long they took.
async fn twenty(
    sessions: &Sessions,
    case: &'static str,
) -> (Vec<Result<u32, Failure>>, Duration) {
    let start = Instant::now();
    let ends = join_all((0..20).map(|_| get(sessions, case))).await;
    (ends, start.elapsed())
}

/// How many attempts since the last call.
fn attempts() -> u32 {
    ATTEMPTS.swap(0, Relaxed)
}

// ANCHOR: at_once
async fn at_once() {
    let sessions = sessions();
    let callers = [0, 2, 4, 15].map(async |second| {
        sleep(second * SECOND).await;
        let start = Instant::now();
        assert_eq!(get(&sessions, "works").await.expect("a session"), 1);
        start.elapsed().as_secs()
    });
    let waited = join_all(callers).await;
    let known = get(&sessions, "works").now_or_never();
    assert!(known.is_some(), "without a wait");
    println!("works: waited {waited:?} s, attempts: {ATTEMPTS:?}");
    assert_eq!((waited, attempts()), (vec![10, 8, 6, 0], 1));
}
// ANCHOR_END: at_once

async fn failures() {
    for (case, seconds) in [("fails", 10), ("panics", 10), ("silent", 30)] {
        let sessions = sessions();
        let (ends, elapsed) = twenty(&sessions, case).await;
        let errors: Vec<_> =
            ends.into_iter().map(|end| end.expect_err("a failure")).collect();
        let (callers, attempts) = (errors.len(), self::attempts());
        println!(
            "{case}: {callers} errors in {elapsed:?}, attempts: {attempts}"
        );
        assert!(errors.iter().all(|e| Arc::ptr_eq(&e.0, &errors[0].0)));
        assert_eq!((elapsed, attempts), (seconds * SECOND, 1));
        match case {
            "fails" => {
                let error = &errors[0];
                assert_eq!(error.to_string(), "503 Service Unavailable");
                let error: anyhow::Error = error.clone().into();
                assert!(error.is::<Failure>());
            }
            "panics" => {
                let error = errors[0].0.downcast_ref::<JoinError>();
                assert!(error.is_some_and(JoinError::is_panic));
            }
            _ => assert!(errors[0].0.is::<Elapsed>()),
        }

        // For a minute they are told, then one tries again.
        sleep(60 * SECOND - Duration::from_millis(1)).await;
        let told = get(&sessions, "works").await;
        assert!(Arc::ptr_eq(&told.expect_err("told").0, &errors[0].0));
        assert_eq!(self::attempts(), 0);
        sleep(Duration::from_millis(1)).await;
        let (ends, elapsed) = twenty(&sessions, "works").await;
        assert!(ends.iter().all(Result::is_ok));
        assert_eq!((elapsed, self::attempts()), (10 * SECOND, 1));
    }
    println!("a minute later: 20 have the session, attempts: 1");

    // Without a pause, a failure is for those who have waited for it.
    let sessions = Arc::new(Lazy::new(30 * SECOND, Duration::ZERO));
    let (ends, _) = twenty(&sessions, "fails").await;
    assert!(ends.iter().all(Result::is_err));
    assert_eq!(attempts(), 1);
    assert_eq!(get(&sessions, "works").await.expect("a session"), 1);
    assert_eq!(attempts(), 1);

    // A function that panics before it returns a future.
    let sessions = self::sessions();
    let no_client = || -> std::future::Ready<_> { panic!("no client") };
    let error = sessions.get(no_client).await.err().expect("a panic");
    assert!(error.0.is::<JoinError>());
    let error = anyhow::anyhow!("503").context("no session");
    let error = anyhow::Error::new(Failure(Arc::new(error)));
    assert_eq!(format!("{error:#}"), "no session: 503");
}

// ANCHOR: leaves
/// Each caller has six seconds, and to sign in takes ten.
async fn leaves() {
    let sessions = sessions();
    let callers = [0, 5, 10, 15].map(async |second| {
        sleep(second * SECOND).await;
        timeout(6 * SECOND, get(&sessions, "works")).await.is_ok()
    });
    let got = join_all(callers).await;
    println!("leaves: {got:?}, attempts: {ATTEMPTS:?}");
    assert_eq!((got, attempts()), (vec![false, true, true, true], 1));
}
// ANCHOR_END: leaves

/// `init` asks for its own value.
async fn itself() {
    let sessions = sessions();
    let inner = Arc::clone(&sessions);
    let start = Instant::now();
    let init = || async move {
        let number = get(&inner, "works").await?;
        Ok(Session { number })
    };
    let error = sessions.get(init).await.err().expect("a timeout");
    println!("itself: {error} after {:?}", start.elapsed());
    assert!(error.0.is::<Elapsed>());
    assert_eq!((start.elapsed(), attempts()), (30 * SECOND, 0));
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: call
    let lazy =
        Arc::new(Lazy::new(Duration::from_secs(30), Duration::from_secs(60)));
    let session = lazy.get(|| sign_in("works")).await.context("sign in")?;
    // ANCHOR_END: call
    assert_eq!((session.number, attempts()), (1, 1));

    at_once().await;
    failures().await;
    leaves().await;
    itself().await;
    Ok(())
}
// ANCHOR_END: all
