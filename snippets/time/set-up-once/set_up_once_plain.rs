// ANCHOR: all
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::OnceCell;
use tokio::time::{Instant, sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

#[derive(Default)]
struct Carrier {
    attempts: AtomicU32,
    is_down: AtomicBool,
    session: OnceCell<&'static str>,
}

impl Carrier {
    /// Takes ten seconds.
    async fn sign_in(&self) -> anyhow::Result<&'static str> {
        self.attempts.fetch_add(1, Relaxed);
        sleep(10 * SECOND).await;
        anyhow::ensure!(!self.is_down.load(Relaxed), "503");
        Ok("session")
    }

    // ANCHOR: broken
    async fn session(&self) -> anyhow::Result<&&'static str> {
        self.session.get_or_try_init(|| self.sign_in()).await
    }
    // ANCHOR_END: broken
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    // Each caller has six seconds.
    let carrier = Carrier::default();
    let callers = [0, 5, 10, 15, 20].map(async |second| {
        sleep(second * SECOND).await;
        timeout(6 * SECOND, carrier.session()).await.is_ok()
    });
    let got = join_all(callers).await;
    let got = got.into_iter().filter(|got| *got).count();
    let attempts = carrier.attempts.load(Relaxed);
    println!("leave: {got} of 5 have the session, attempts: {attempts}");
    assert_eq!((got, attempts), (0, 5));

    let carrier = Carrier::default();
    carrier.is_down.store(true, Relaxed);
    let start = Instant::now();
    let ends = join_all((0..20).map(|_| carrier.session())).await;
    let (attempts, took) = (carrier.attempts.load(Relaxed), start.elapsed());
    println!("fails: attempts: {attempts}, in {took:?}");
    assert!(ends.iter().all(Result::is_err));
    assert_eq!((attempts, took), (20, 200 * SECOND));
}
// ANCHOR_END: all
