//! A circuit breaker with many callers: requests that succeed, fail, panic,
//! are silent or cancelled. It permits no more than it says, it ends a probe in
//! each case, and it closes when the service works.

include!("../../../../snippets/time/failing-service/failing_service.rs");

mod stress {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use stress::{Round, SLACK};
    use tokio::sync::Semaphore;
    use tokio::task::JoinSet;
    use tokio::time::{Instant, sleep, sleep_until};

    use super::{Breaker, Open, state};

    const MS: Duration = Duration::from_millis(1);
    const LONG: Duration = Duration::from_secs(3600);
    /// So many failures in a row open it, and then so many successes close it.
    const FAILURES: usize = 5;
    const SUCCESSES: usize = 8;

    fn breaker(open_for: Duration, timeout: Duration) -> Arc<Breaker> {
        let failure = |error: &anyhow::Error| {
            (error.to_string() != "404").then_some(Duration::ZERO)
        };
        let state = Mutex::new(state(None, 0));
        let (name, limit, weight) = ("north", 10, 2);
        Arc::new(Breaker {
            name,
            limit,
            weight,
            open_for,
            timeout,
            failure,
            state,
        })
    }

    fn open_until(breaker: &Breaker) -> Option<Instant> {
        breaker.state.lock().expect("no panic within").open_until
    }

    fn permits(breaker: &Breaker) -> Arc<Semaphore> {
        let state = breaker.state.lock().expect("no panic within");
        Arc::clone(&state.permits)
    }

    /// Opens it, and waits until it is half-open.
    async fn half_open(breaker: &Breaker) {
        for _ in 0..FAILURES {
            let request = async || anyhow::bail!("503");
            let failed: anyhow::Result<()> = breaker.call(request).await;
            failed.expect_err("it fails");
        }
        sleep_until(open_until(breaker).expect("it is open")).await;
    }

    #[derive(Clone, Copy, Debug)]
    enum Reply {
        Ok,
        NotFound,
        Down,
        Panic,
        Silence,
    }

    /// How many requests are pending, and how many have succeeded.
    #[derive(Default)]
    struct Carrier {
        sent: AtomicUsize,
        pending: AtomicUsize,
        succeeded: AtomicUsize,
    }

    struct Pending<'c>(&'c Carrier);

    impl Drop for Pending<'_> {
        fn drop(&mut self) {
            self.0.pending.fetch_sub(1, SeqCst);
        }
    }

    impl Carrier {
        /// `allowed` gets how many have succeeded, and says how many requests
        /// may be pending.
        async fn track(
            &self,
            reply: Reply,
            time: Duration,
            allowed: fn(usize) -> usize,
        ) -> anyhow::Result<()> {
            self.sent.fetch_add(1, SeqCst);
            let pending = self.pending.fetch_add(1, SeqCst) + 1;
            let _pending = Pending(self);
            let most = allowed(self.succeeded.load(SeqCst));
            assert!(pending <= most, "{pending} requests, {most} are allowed");
            sleep(time).await;
            match reply {
                Reply::Ok => _ = self.succeeded.fetch_add(1, SeqCst),
                Reply::NotFound => anyhow::bail!("404"),
                Reply::Down => anyhow::bail!("503"),
                Reply::Panic => panic!("a comma in the status"),
                Reply::Silence => std::future::pending().await,
            }
            Ok(())
        }
    }

    /// Makes a few calls, in a task: some are cancelled.
    async fn calls(
        breaker: Arc<Breaker>,
        carrier: Arc<Carrier>,
        mut round: Round,
        among: Vec<Reply>,
        allowed: fn(usize) -> usize,
    ) {
        for _ in 0..10 {
            let reply = among[round.rng.usize(..among.len())];
            let time = round.duration(Duration::ZERO..MS);
            let (breaker, carrier) = (breaker.clone(), carrier.clone());
            let gives_up = round.rng.bool() || among.len() == 2;
            let mut fork = round.fork();
            // A task, because the request may panic.
            let task = tokio::spawn(async move {
                let request = || carrier.track(reply, time, allowed);
                if gives_up {
                    fork.cancel(3 * MS, breaker.call(request)).await;
                } else {
                    let _ = breaker.call(request).await;
                }
            });
            if let Err(error) = task.await {
                let panic = error.into_panic();
                let text = panic.downcast_ref::<&str>().copied();
                assert_eq!(text, Some("a comma in the status"), "{panic:?}");
            }
        }
    }

    /// None of these ends the half-open state.
    #[test]
    fn there_is_one_probe_at_a_time_and_the_next_follows() {
        stress::rounds(|mut round| async move {
            let breaker = breaker(MS, LONG);
            half_open(&breaker).await;
            let carrier = Arc::new(Carrier::default());
            let mut callers = JoinSet::new();
            for _ in 0..20 {
                let among = vec![Reply::NotFound, Reply::Panic];
                callers.spawn(calls(
                    Arc::clone(&breaker),
                    Arc::clone(&carrier),
                    round.fork(),
                    among,
                    |_| 1,
                ));
            }
            callers.join_all().await;
            assert!(carrier.sent.load(SeqCst) > 0);
            assert_eq!(permits(&breaker).available_permits(), 1);
            let probe = || carrier.track(Reply::Ok, MS, |_| 1);
            breaker.call(probe).await.expect("it is sent");
        });
    }

    #[test]
    fn a_service_that_has_recovered_gets_more_with_each_success() {
        stress::rounds(|mut round| async move {
            let breaker = breaker(MS, LONG);
            half_open(&breaker).await;
            let carrier = Arc::new(Carrier::default());
            // The last success closes it.
            let allowed = |succeeded| {
                if succeeded < SUCCESSES { 1 + succeeded } else { usize::MAX }
            };
            let mut callers = JoinSet::new();
            for _ in 0..20 {
                callers.spawn(calls(
                    Arc::clone(&breaker),
                    Arc::clone(&carrier),
                    round.fork(),
                    vec![Reply::Ok, Reply::Ok, Reply::NotFound],
                    allowed,
                ));
            }
            callers.join_all().await;
            while open_until(&breaker).is_some() {
                let request = || carrier.track(Reply::Ok, MS, allowed);
                breaker.call(request).await.expect("it is sent");
            }
            let all = Semaphore::MAX_PERMITS;
            assert_eq!(permits(&breaker).available_permits(), all);
        });
    }

    #[test]
    fn it_closes_when_the_service_works_whatever_has_happened() {
        stress::rounds(|mut round| async move {
            let breaker = breaker(MS, 2 * MS);
            let carrier = Arc::new(Carrier::default());
            let mut callers = JoinSet::new();
            for _ in 0..20 {
                callers.spawn(calls(
                    Arc::clone(&breaker),
                    Arc::clone(&carrier),
                    round.fork(),
                    vec![
                        Reply::Ok,
                        Reply::NotFound,
                        Reply::Down,
                        Reply::Panic,
                        Reply::Silence,
                    ],
                    |_| usize::MAX,
                ));
            }
            callers.join_all().await;
            assert_eq!(carrier.pending.load(SeqCst), 0);
            // On a busy machine even a good request may be too late.
            let (start, mut succeeded) = (Instant::now(), 0);
            while open_until(&breaker).is_some() || succeeded == 0 {
                assert!(start.elapsed() < SLACK, "it does not close");
                succeeded += breaker.call(async || Ok(1)).await.unwrap_or(0);
                sleep(MS / 10).await;
            }
            let all = Semaphore::MAX_PERMITS;
            assert_eq!(permits(&breaker).available_permits(), all);
        });
    }

    #[test]
    fn an_open_breaker_sends_nothing() {
        stress::rounds(|mut round| async move {
            const CALLERS: usize = 20;
            let breaker = breaker(LONG, LONG);
            let carrier = Arc::new(Carrier::default());
            let mut callers = JoinSet::new();
            for _ in 0..CALLERS {
                let (breaker, carrier) = (breaker.clone(), carrier.clone());
                let time = round.duration(Duration::ZERO..MS);
                callers.spawn(async move {
                    let down = Reply::Down;
                    let request = || carrier.track(down, time, |_| usize::MAX);
                    // Each caller goes on until it is refused.
                    while !breaker
                        .call(request)
                        .await
                        .expect_err("it is down")
                        .is::<Open>()
                    {}
                });
            }
            callers.join_all().await;
            let sent = carrier.sent.load(SeqCst);
            let most = FAILURES + CALLERS;
            assert!((FAILURES..=most).contains(&sent), "{sent} requests");
            let until = open_until(&breaker).expect("it is open");
            let left = until.duration_since(Instant::now());
            assert!(left > LONG - SLACK && left <= 2 * LONG, "{left:?}");
        });
    }

    /// They began before it opened, and end when it is half-open.
    #[test]
    fn an_old_request_does_not_count() {
        stress::rounds(|mut round| async move {
            let breaker = breaker(MS, LONG);
            let gate = Arc::new(Semaphore::new(0));
            let began = Arc::new(Semaphore::new(0));
            let mut old = JoinSet::new();
            for _ in 0..20 {
                let (gate, began) = (Arc::clone(&gate), Arc::clone(&began));
                let (breaker, fails) = (breaker.clone(), round.rng.bool());
                old.spawn(async move {
                    let request = async || {
                        began.add_permits(1);
                        assert!(gate.acquire().await.is_err(), "it closes");
                        anyhow::ensure!(!fails, "503");
                        Ok(())
                    };
                    assert_eq!(breaker.call(request).await.is_err(), fails);
                });
            }
            let all = began.acquire_many(20).await;
            all.expect("it is open").forget();
            half_open(&breaker).await;
            let before = permits(&breaker);
            gate.close();
            old.join_all().await;
            assert!(Arc::ptr_eq(&before, &permits(&breaker)));
            assert_eq!(before.available_permits(), 1);
        });
    }
}
