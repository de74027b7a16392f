// ANCHOR: all
use std::future::{Future, pending};
use std::sync::Mutex;
use std::time::Duration;

use futures::future::join_all;
use tokio::time::{Instant, sleep_until, timeout};

const SECOND: Duration = Duration::from_secs(1);

#[derive(Debug, PartialEq)]
enum Failure {
    /// Not in time, or not even connected: map your client's errors to it.
    Silent,
    Status(u16),
    Refused,
}

type Answer = Result<&'static str, Failure>;

// ANCHOR: state
#[derive(Default)]
struct Line {
    limit: u32,
    /// Closed, as long as fewer in a row than the limit have failed.
    failures: u32,
    /// Open, and nobody rings until then.
    until: Option<Instant>,
    /// Half-open, and one rings.
    probing: bool,
}
// ANCHOR_END: state

struct Breaker(Mutex<Line>);

impl Breaker {
    async fn call(&self, ring: impl Future<Output = Answer>) -> Answer {
        // ANCHOR: permit
        let probe = {
            let mut line = self.0.lock().expect("never poisoned");
            let probe = line.failures >= line.limit;
            if probe && (line.probing || Some(Instant::now()) < line.until) {
                return Err(Failure::Refused);
            }
            line.probing = probe;
            probe
        };
        let _probing = probe.then(|| Probing(self));
        // ANCHOR_END: permit
        // ANCHOR: failed
        let answer = timeout(5 * SECOND, ring).await;
        let answer = answer.unwrap_or(Err(Failure::Silent));
        let failed =
            matches!(answer, Err(Failure::Silent | Failure::Status(500..)));
        // ANCHOR_END: failed
        // ANCHOR: count
        let mut line = self.0.lock().expect("never poisoned");
        if probe || line.failures < line.limit {
            line.failures = if failed { line.failures + 1 } else { 0 };
            line.until = Some(Instant::now() + 60 * SECOND);
        }
        // ANCHOR_END: count
        answer
    }
}

// ANCHOR: drop
/// Ends the probe, even if nobody waits for the answer any more.
struct Probing<'a>(&'a Breaker);

impl Drop for Probing<'_> {
    fn drop(&mut self) {
        self.0.0.lock().expect("never poisoned").probing = false;
    }
}
// ANCHOR_END: drop

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    for limit in [u32::MAX, 3] {
        let breaker = Breaker(Mutex::new(Line { limit, ..Line::default() }));
        let (start, rung) = (Instant::now(), Mutex::new(vec![]));
        // ANCHOR: customers
        let customers = (0..300).step_by(2).map(async |second: u32| {
            sleep_until(start + second * SECOND).await;
            let ring = async {
                rung.lock().expect("never poisoned").push(second);
                match second {
                    60..64 => Err(Failure::Status(503)),
                    64..180 => pending().await,
                    _ => Ok("in stock"),
                }
            };
            let answer = breaker.call(ring).await;
            assert!(answer.is_ok() || (60..196).contains(&second));
            start.elapsed().as_secs() - u64::from(second)
        });
        let waited: u64 = join_all(customers).await.into_iter().sum();
        // ANCHOR_END: customers
        let rung = rung.into_inner().expect("never poisoned");
        let name = if limit == 3 { "a breaker" } else { "none" };
        println!("{name}: {} calls, {waited} s waited", rung.len());
        // Not while it is open, but for the probe.
        let open = |second: &u32| limit == 3 && (70..196).contains(second);
        let called = (0..300).step_by(2).filter(|s| !open(s) || *s == 130);
        assert!(rung.into_iter().eq(called));
        assert_eq!(waited, 5 * if limit == 3 { 4 } else { 58 });
    }
}
// ANCHOR_END: all
