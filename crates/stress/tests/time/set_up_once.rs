//! One value for many callers, some of which give up, and attempts that fail,
//! panic or are silent.

include!("../../../../snippets/time/set-up-once/set_up_once.rs");

mod stress {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::time::Duration;

    use tokio::sync::Semaphore;
    use tokio::task::{JoinError, JoinSet};
    use tokio::time::{error::Elapsed, sleep};

    use super::{Failure, Lazy};

    const MS: Duration = Duration::from_millis(1);
    const LONG: Duration = Duration::from_secs(60);

    /// Does not answer before `gate` is closed, and counts its attempts.
    #[derive(Clone)]
    struct Carrier {
        attempts: Arc<AtomicUsize>,
        running: Arc<AtomicUsize>,
        gate: Arc<Semaphore>,
    }

    impl Carrier {
        fn new() -> Self {
            let (attempts, running) = Default::default();
            Carrier { attempts, running, gate: Arc::new(Semaphore::new(0)) }
        }

        async fn sign_in(self, case: u8) -> anyhow::Result<usize> {
            let number = self.attempts.fetch_add(1, SeqCst);
            let running = Running(self.running);
            let others = running.0.fetch_add(1, SeqCst);
            assert_eq!(others, 0, "one at a time");
            if case == 3 {
                std::future::pending().await
            }
            self.gate.acquire().await.expect_err("it is closed");
            anyhow::ensure!(case != 1, "503 Service Unavailable");
            assert_ne!(case, 2, "a comma in the password");
            Ok(number)
        }
    }

    /// Counts down when the attempt ends, or is dropped.
    struct Running(Arc<AtomicUsize>);

    impl Drop for Running {
        fn drop(&mut self) {
            self.0.fetch_sub(1, SeqCst);
        }
    }

    async fn get(
        lazy: Arc<Lazy<usize>>,
        carrier: Carrier,
        case: u8,
    ) -> Result<usize, Failure> {
        lazy.get(move || carrier.sign_in(case)).await.copied()
    }

    #[test]
    fn one_attempt_for_all_though_callers_leave() {
        stress::rounds(|mut round| async move {
            let lazy = Arc::new(Lazy::new(LONG, LONG));
            let carrier = Carrier::new();
            let mut callers = JoinSet::new();
            for _ in 0..20 {
                let mut round = round.fork();
                let value = get(lazy.clone(), carrier.clone(), 0);
                callers.spawn(async move {
                    sleep(round.duration(Duration::ZERO..3 * MS)).await;
                    if round.rng.bool() {
                        round.cancel(3 * MS, value).await
                    } else {
                        Some(value.await)
                    }
                });
            }
            sleep(round.duration(Duration::ZERO..5 * MS)).await;
            carrier.gate.close();
            for value in callers.join_all().await.into_iter().flatten() {
                assert_eq!(value.expect("a session"), 0);
            }
            let again = get(lazy, carrier.clone(), 0).await;
            assert_eq!(again.expect("a session"), 0);
            assert_eq!(carrier.attempts.load(SeqCst), 1);
        });
    }

    #[test]
    fn a_failure_is_shared_and_then_one_tries_again() {
        stress::rounds(|mut round| async move {
            let case = round.rng.u8(1..=3);
            let timeout = if case == 3 { 20 * MS } else { LONG };
            let pause = round.choice([Duration::ZERO, LONG]);
            let lazy = Arc::new(Lazy::new(timeout, pause));
            let carrier = Carrier::new();
            let mut callers = JoinSet::new();
            for _ in 0..20 {
                callers.spawn(get(lazy.clone(), carrier.clone(), case));
            }
            if case != 3 {
                // All wait: each has `lazy`, and its task has it, too.
                while Arc::strong_count(&lazy) < 41 {
                    sleep(MS).await;
                }
                carrier.gate.close();
            }
            let mut errors = Vec::new();
            for value in callers.join_all().await {
                let Failure(error) = value.expect_err("a failure");
                match case {
                    1 => assert!(error.to_string().starts_with("503")),
                    2 => assert!(error.is::<JoinError>()),
                    _ => assert!(error.is::<Elapsed>()),
                }
                errors.push(error);
            }
            let before = carrier.attempts.load(SeqCst);
            if case != 3 || pause == LONG {
                assert_eq!(before, 1);
            }
            carrier.gate.close();
            let again = get(lazy.clone(), carrier.clone(), 0).await;
            if pause == LONG {
                let Failure(error) = again.expect_err("told");
                assert!(Arc::ptr_eq(&error, &errors[0]));
                assert_eq!(carrier.attempts.load(SeqCst), before);
            } else {
                assert_eq!(again.expect("a session"), before);
            }
        });
    }

    #[test]
    fn no_task_is_left() {
        stress::rounds(|mut round| async move {
            let lazy = Arc::new(Lazy::new(LONG, LONG));
            let carrier = Carrier::new();
            let case = round.rng.u8(..3);
            for _ in 0..10 {
                let value = get(lazy.clone(), carrier.clone(), case);
                _ = round.cancel(MS, value).await;
            }
            carrier.gate.close();
            while Arc::strong_count(&lazy) > 1 {
                sleep(MS).await;
            }
            assert!(carrier.attempts.load(SeqCst) <= 1);
        });
    }
}
