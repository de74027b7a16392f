//! `Handlers` with several callers at once, and handlers that fail, panic, hang
//! and are cancelled: each call gets the end of its own handler, and no handler
//! runs on after its call. `retry` makes no call too many.

include!("../../../../snippets/tasks/async-traits/async_traits.rs");

mod stress {
    use std::collections::HashMap;
    use std::future::{pending, ready};
    use std::panic::resume_unwind;
    use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::SeqCst};
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use anyhow::{Result, bail};
    use futures::future::join_all;
    use stress::{Round, SLACK};
    use tokio::task::yield_now;
    use tokio::time::{Instant, sleep};

    use super::{Handlers, retry, timed};

    const MS: Duration = Duration::from_millis(1);
    const KINDS: [&str; 6] =
        ["ends", "fails", "panics", "panics at once", "silent", "unknown"];

    /// How many handlers run, and what the handlers have done.
    #[derive(Clone, Default)]
    struct Trial {
        running: Arc<AtomicUsize>,
        done: Arc<Mutex<Vec<u32>>>,
    }

    struct Running(Arc<AtomicUsize>);

    impl Drop for Running {
        fn drop(&mut self) {
            self.0.fetch_sub(1, SeqCst);
        }
    }

    impl Trial {
        async fn run(self, kind: &'static str, id: u32) -> Result<()> {
            self.running.fetch_add(1, SeqCst);
            let _running = Running(Arc::clone(&self.running));
            match id % 3 {
                0 => sleep(MS / 4).await,
                1 => yield_now().await,
                _ => {}
            }
            match kind {
                "fails" => bail!("parcel {id}"),
                "panics" => resume_unwind(Box::new("without a message")),
                "silent" => pending().await,
                _ => self.done.lock().expect("no panic within").push(id),
            }
            Ok(())
        }

        fn handlers(&self, timeout: Duration) -> Arc<Handlers> {
            let mut handlers = Handlers { handlers: HashMap::new(), timeout };
            for kind in ["ends", "fails", "panics", "silent"] {
                let trial = self.clone();
                handlers.on(kind, move |id| trial.clone().run(kind, id));
            }
            handlers.on("panics at once", |id| {
                if id < u32::MAX {
                    resume_unwind(Box::new("without a message"));
                }
                ready(Ok(()))
            });
            Arc::new(handlers)
        }
    }

    /// Calls in a task of its own. `None` if it was cancelled.
    async fn call(
        mut round: Round,
        [handlers, hasty]: [Arc<Handlers>; 2],
        id: u32,
    ) -> (u32, &'static str, Option<Result<()>>) {
        let kind = round.choice(KINDS);
        let handlers = if kind == "silent" { hasty } else { handlers };
        let call = handlers.handle(kind, id);
        let end = if round.rng.u8(..4) == 0 {
            round.cancel(2 * MS, call).await
        } else {
            Some(call.await)
        };
        (id, kind, end)
    }

    #[test]
    fn each_call_gets_the_end_of_its_handler() {
        stress::rounds(|mut round| async move {
            let trial = Trial::default();
            // On a busy machine, a handler that ends may take long.
            let handlers = trial.handlers(4 * SLACK);
            let both = [Arc::clone(&handlers), trial.handlers(2 * MS)];
            let count = round.rng.u32(1..20);
            let calls = (0..count)
                .map(|id| tokio::spawn(call(round.fork(), both.clone(), id)));
            let mut must = Vec::new();
            let mut may = Vec::new();
            for end in join_all(calls).await {
                let (id, kind, end) = end.expect("a panic is caught");
                let text = match end {
                    None => {
                        may.push(id);
                        continue;
                    }
                    Some(Ok(())) => {
                        must.push(id);
                        "ends".to_owned()
                    }
                    Some(Err(error)) => error.to_string(),
                };
                let expected = match kind {
                    "ends" => "ends".to_owned(),
                    "fails" => format!("parcel {id}"),
                    "silent" => "the handler took too long".to_owned(),
                    "unknown" => "no handler".to_owned(),
                    _ => "the handler panicked".to_owned(),
                };
                assert_eq!(text, expected, "{kind}");
            }
            assert_eq!(trial.running.load(SeqCst), 0, "a handler runs on");
            let mut done = trial.done.lock().expect("no panic within").clone();
            done.retain(|id| !may.contains(id));
            done.sort_unstable();
            assert_eq!(done, must, "each once");
            // After all this, the handlers are as they were.
            assert!(handlers.handle("ends", u32::MAX).await.is_ok());
        });
    }

    #[test]
    fn a_silent_handler_ends_at_its_timeout() {
        stress::rounds(|mut round| async move {
            let trial = Trial::default();
            let limit = round.duration(MS..20 * MS);
            let handlers = trial.handlers(limit);
            let calls = (0..10).map(|id| {
                let handlers = Arc::clone(&handlers);
                tokio::spawn(async move {
                    timed(handlers.handle("silent", id)).await
                })
            });
            for end in join_all(calls).await {
                let (result, time) = end.expect("no panic");
                let error = result.expect_err("it is silent").to_string();
                assert_eq!(error, "the handler took too long");
                assert!(time >= limit && time < limit + SLACK, "{time:?}");
            }
            assert_eq!(trial.running.load(SeqCst), 0);
        });
    }

    #[test]
    fn retry_makes_as_many_calls_as_it_needs() {
        stress::rounds(|mut round| async move {
            let attempts = round.rng.u32(1..6);
            let failures = round.rng.u32(..8);
            let pause = round.duration(Duration::ZERO..2 * MS);
            let cancels = round.rng.u8(..4) == 0;
            let calls = Arc::new(AtomicU32::new(0));
            let counted = Arc::clone(&calls);
            let start = Instant::now();
            let end = tokio::spawn(async move {
                // The closure borrows, and the task may move to a thread.
                let call = retry(attempts, pause, || async {
                    let call = counted.fetch_add(1, SeqCst);
                    yield_now().await;
                    if call < failures { bail!("{call}") } else { Ok(call) }
                });
                if cancels {
                    round.cancel(4 * MS, call).await
                } else {
                    Some(call.await)
                }
            });
            let end = end.await.expect("no panic");
            let calls = calls.load(SeqCst);
            let needed = attempts.min(failures + 1);
            match end {
                None => assert!(calls <= needed, "{calls} of {needed}"),
                Some(end) => {
                    assert_eq!(calls, needed);
                    assert!(start.elapsed() >= pause * (needed - 1));
                    match end {
                        Ok(call) => assert_eq!(call, failures),
                        Err(error) => {
                            assert!(failures >= attempts);
                            let last = (attempts - 1).to_string();
                            assert_eq!(error.to_string(), last);
                        }
                    }
                }
            }
        });
    }
}
