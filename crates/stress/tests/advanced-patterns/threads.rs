//! Jobs on threads: callers that give up at a random await, jobs that panic or
//! never look at their token, and a limit that must hold all the time.

include!("../../../../snippets/advanced-patterns/threads/threads.rs");

mod stress {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    use std::sync::{Arc, LazyLock};
    use std::thread;
    use std::time::Duration;

    use rayon::{ThreadPool, ThreadPoolBuilder};
    use stress::Round;
    use tokio::sync::TryAcquireError;
    use tokio::task::JoinSet;
    use tokio::time::{Instant, sleep, timeout};
    use tokio_util::sync::CancellationToken;

    use super::{Limit, run};

    const MS: Duration = Duration::from_millis(1);
    const RUNNING: usize = 3;
    const WAITING: usize = 6;

    /// One pool for all rounds.
    static POOL: LazyLock<ThreadPool> = LazyLock::new(|| {
        let pool = ThreadPoolBuilder::new().num_threads(8).build();
        pool.expect("threads")
    });

    /// Counts the jobs of a round: those that run, the most at the same time.
    #[derive(Default)]
    struct Jobs {
        running: AtomicUsize,
        most: AtomicUsize,
        started: AtomicUsize,
    }

    struct Running<'a>(&'a Jobs);

    impl Drop for Running<'_> {
        fn drop(&mut self) {
            self.0.running.fetch_sub(1, Relaxed);
        }
    }

    impl Jobs {
        fn start(&self) -> Running<'_> {
            self.started.fetch_add(1, Relaxed);
            let running = self.running.fetch_add(1, Relaxed) + 1;
            self.most.fetch_max(running, Relaxed);
            Running(self)
        }

        /// Panics, works for a while, or until it is told to stop.
        fn work(&self, kind: usize, token: &CancellationToken) -> usize {
            let _running = self.start();
            match kind {
                0 => panic!("an empty scan"),
                1 => thread::sleep(MS * 2),
                2 => {
                    let start = Instant::now();
                    while !token.is_cancelled() && start.elapsed() < MS * 5 {
                        thread::sleep(MS / 5);
                    }
                }
                _ => {}
            }
            kind
        }
    }

    fn pool(round: &mut Round) -> Option<&'static ThreadPool> {
        round.rng.bool().then(|| &*POOL)
    }

    #[test]
    fn the_limit_holds_and_each_caller_has_a_result() {
        stress::rounds(|mut round| async move {
            let limit = Arc::new(Limit::new(RUNNING, WAITING));
            let jobs = Arc::new(Jobs::default());
            let mut callers = JoinSet::new();
            for _ in 0..6 {
                let (limit, jobs) = (Arc::clone(&limit), Arc::clone(&jobs));
                let mut round = round.fork();
                callers.spawn(async move {
                    for _ in 0..20 {
                        let kind = round.rng.usize(..4);
                        let jobs = Arc::clone(&jobs);
                        let work = move |token: &CancellationToken| {
                            jobs.work(kind, token)
                        };
                        let job = run(&limit, pool(&mut round), work);
                        let result = match round.rng.bool() {
                            true => round.cancel(MS * 5, job).await,
                            false => Some(job.await),
                        };
                        match result {
                            None => {}
                            Some(Ok(value)) => assert_eq!(value, kind),
                            Some(Err(error)) => {
                                // Six callers have six places to wait.
                                assert!(!error.is::<TryAcquireError>());
                                assert_eq!(kind, 0, "{error}");
                            }
                        }
                    }
                });
            }
            callers.join_all().await;
            // The jobs of callers that gave up end, and return their permits.
            let all = limit.running.acquire_many(RUNNING as u32);
            let all = timeout(MS * 2_000, all).await.expect("a permit is lost");
            assert!(jobs.most.load(Relaxed) <= RUNNING);
            assert_eq!(jobs.running.load(Relaxed), 0);
            assert_eq!(limit.waiting.available_permits(), WAITING);
            drop(all);
        });
    }

    #[test]
    fn callers_beyond_the_limit_are_refused_at_once() {
        stress::rounds(|mut round| async move {
            let limit = Arc::new(Limit::new(RUNNING, WAITING));
            let jobs = Arc::new(Jobs::default());
            let token = CancellationToken::new(); // ends the jobs
            let mut callers = JoinSet::new();
            for _ in 0..40 {
                let (limit, jobs) = (Arc::clone(&limit), Arc::clone(&jobs));
                let (pool, end) = (pool(&mut round), token.clone());
                callers.spawn(async move {
                    let work = move |_: &CancellationToken| {
                        let _running = jobs.start();
                        while !end.is_cancelled() {
                            thread::sleep(MS / 5);
                        }
                    };
                    run(&limit, pool, work).await
                });
            }
            for _ in RUNNING + WAITING..40 {
                let refused = timeout(MS * 2_000, callers.join_next()).await;
                let refused = refused.expect("it waits").expect("40 callers");
                let error = refused.expect("no panic").expect_err("no place");
                assert!(error.is::<TryAcquireError>());
            }
            assert!(jobs.started.load(Relaxed) <= RUNNING);
            token.cancel();
            let results = callers.join_all().await;
            assert_eq!(results.len(), RUNNING + WAITING);
            assert!(results.iter().all(Result::is_ok));
            assert!(jobs.most.load(Relaxed) <= RUNNING);
            assert_eq!(jobs.started.load(Relaxed), RUNNING + WAITING);
        });
    }

    #[test]
    fn a_job_stops_when_its_caller_gives_up() {
        stress::rounds(|mut round| async move {
            let limit = Limit::new(1, 0);
            let work = |token: &CancellationToken| {
                while !token.is_cancelled() {
                    thread::sleep(MS / 5);
                }
            };
            let pool = pool(&mut round);
            round.cancel(MS * 5, run(&limit, pool, work)).await;
            let ended = timeout(MS * 2_000, limit.running.acquire()).await;
            drop(ended.expect("the job goes on"));
            sleep(round.duration(Duration::ZERO..MS)).await;
            let next = run(&limit, pool, |_| 7).await;
            assert_eq!(next.expect("a permit"), 7);
        });
    }
}
