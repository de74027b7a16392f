// ANCHOR: all
use std::cell::RefCell;
use std::future::pending;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use tokio::time::{Instant, timeout_at};

const SECOND: Duration = Duration::from_secs(1);

// ANCHOR: errors
#[derive(Clone, Debug, thiserror::Error)]
enum Error {
    #[error("engaged")]
    Engaged,
    #[error("call back in {0:?}")]
    CallBack(Duration),
    #[error("nobody answers")]
    Silence,
    #[error("no such patient")]
    Unknown,
}

impl Error {
    /// Whether it may go better the next time.
    fn is_transient(&self) -> bool {
        match self {
            Error::Engaged | Error::CallBack(_) | Error::Silence => true,
            Error::Unknown => false,
        }
    }
}
// ANCHOR_END: errors

type Answer = Result<&'static str, Error>;

/// Answers by a script, the last line for ever; `None` is silence.
struct Surgery {
    script: Vec<Option<Answer>>,
    calls: RefCell<Vec<Instant>>,
}

impl Surgery {
    async fn call(&self) -> Answer {
        self.calls.borrow_mut().push(Instant::now());
        let line = self.script.len().min(self.calls.borrow().len()) - 1;
        match &self.script[line] {
            Some(answer) => answer.clone(),
            None => pending().await,
        }
    }
}

// ANCHOR: ask
async fn ask(surgery: &Surgery, deadline: Instant) -> Answer {
    // ANCHOR: pauses
    let pauses = ExponentialBuilder::new() // 1 s, 2 s, 4 s
        .with_jitter()
        .with_jitter_seed(7); // in a test
    // ANCHOR_END: pauses
    // ANCHOR: attempt
    let attempt = async || {
        let limit = deadline.min(Instant::now() + 3 * SECOND);
        let answer = timeout_at(limit, surgery.call()).await;
        answer.unwrap_or(Err(Error::Silence))
    };
    // ANCHOR_END: attempt
    // ANCHOR: adjust
    let adjust = |error: &Error, pause: Option<Duration>| {
        let pause = match error {
            Error::CallBack(later) => pause?.saturating_add(*later),
            _ => pause?,
        };
        let left = deadline.saturating_duration_since(Instant::now());
        (pause < left).then_some(pause)
    };
    // ANCHOR_END: adjust
    attempt.retry(pauses).when(Error::is_transient).adjust(adjust).await
}
// ANCHOR_END: ask

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let engaged = || Some(Err(Error::Engaged));
    let later = |seconds| Some(Err(Error::CallBack(seconds * SECOND)));
    let yes = || Some(Ok("at ten"));
    for (script, seconds, expected) in [
        (vec![engaged(), engaged(), yes()], 60, vec![0, 1774, 4219]),
        (vec![None, yes()], 60, vec![0, 4774]),
        (vec![later(20), yes()], 60, vec![0, 21774]),
        (vec![Some(Err(Error::Unknown))], 60, vec![0]),
        (vec![engaged()], 60, vec![0, 1774, 4219, 11093]),
        (vec![engaged()], 10, vec![0, 1774, 4219]),
        (vec![Some(Err(Error::CallBack(Duration::MAX)))], 60, vec![0]),
    ] {
        let start = Instant::now();
        let surgery = Surgery { script, calls: RefCell::default() };
        let answer = ask(&surgery, start + seconds * SECOND).await;
        let at = |call: &Instant| (*call - start).as_millis();
        let calls: Vec<_> = surgery.calls.borrow().iter().map(at).collect();
        println!("{calls:?}: {answer:?}, {:?}", start.elapsed());
        assert_eq!(calls, expected);
        assert!(start.elapsed() <= seconds * SECOND);
    }
}
// ANCHOR_END: all
