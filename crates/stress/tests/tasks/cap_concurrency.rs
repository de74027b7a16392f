//! `Limit` and `KeyedLimit` with work that returns, fails, panics, blocks and
//! never ends, and with callers that give up: never more than the limit run,
//! and no permit, place or key is left.

include!("../../../../snippets/tasks/cap-concurrency/cap_concurrency.rs");

mod stress {
    use std::future::pending;
    use std::num::NonZeroUsize;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::thread;
    use std::time::Duration;

    use anyhow::{Result, bail};
    use stress::{Round, SLACK};
    use tokio::task::{JoinSet, yield_now};
    use tokio::time::{Instant, sleep, timeout};

    use super::{Busy, KeyedLimit, Limit};

    const MS: Duration = Duration::from_millis(1);

    fn number(number: usize) -> NonZeroUsize {
        NonZeroUsize::new(number).expect("not 0")
    }

    /// How much work runs, and has started.
    #[derive(Default)]
    struct Work {
        running: AtomicUsize,
        peak: AtomicUsize,
        started: AtomicUsize,
    }

    struct Running(Arc<Work>);

    impl Running {
        fn new(work: &Arc<Work>) -> Self {
            let running = work.running.fetch_add(1, SeqCst) + 1;
            work.peak.fetch_max(running, SeqCst);
            work.started.fetch_add(1, SeqCst);
            Running(Arc::clone(work))
        }
    }

    impl Drop for Running {
        fn drop(&mut self) {
            self.0.running.fetch_sub(1, SeqCst);
        }
    }

    impl Work {
        /// Up to a millisecond, and then it ends in some way.
        async fn run(self: Arc<Self>, mut round: Round) -> Result<()> {
            let _running = Running::new(&self);
            match round.rng.u8(..4) {
                0 => yield_now().await,
                1 => thread::sleep(round.duration(Duration::ZERO..MS / 2)),
                _ => sleep(round.duration(Duration::ZERO..MS)).await,
            }
            match round.rng.u8(..8) {
                0 => bail!("it fails"),
                1 => panic!("it panics"),
                _ => Ok(()),
            }
        }
    }

    #[test]
    fn no_more_than_the_limit_run_and_no_permit_is_lost() {
        stress::rounds(|mut round| async move {
            let (limit, queue) = (round.rng.usize(1..5), round.rng.usize(..9));
            let shared = Limit::new(number(limit), queue, 2 * MS);
            let (shared, work) = (Arc::new(shared), Arc::<Work>::default());
            let mut callers = JoinSet::new();
            for _ in 0..50 {
                let (limit, work) = (Arc::clone(&shared), Arc::clone(&work));
                let mut round = round.fork();
                callers.spawn(async move {
                    sleep(round.duration(Duration::ZERO..3 * MS)).await;
                    let run = Arc::clone(&work).run(round.fork());
                    let call = limit.run(|| run);
                    if round.rng.bool() {
                        round.cancel(2 * MS, call).await
                    } else {
                        Some(call.await)
                    }
                });
            }
            let (mut ended, mut others) = (0, 0);
            while let Some(end) = callers.join_next().await {
                match end {
                    Ok(Some(Ok(_))) => ended += 1,
                    Ok(Some(Err(Busy))) => {}
                    Ok(None) | Err(_) => others += 1, // dropped, panicked
                }
            }
            assert_eq!(work.running.load(SeqCst), 0);
            let most = work.peak.load(SeqCst);
            assert!(most <= limit, "{most} run, the limit is {limit}");
            let started = work.started.load(SeqCst);
            assert!((ended..=ended + others).contains(&started));
            assert_eq!(shared.permits.available_permits(), limit);
            assert_eq!(shared.places.available_permits(), limit + queue);
        });
    }

    #[test]
    fn no_more_than_the_queue_wait_and_none_waits_too_long() {
        stress::rounds(|mut round| async move {
            let (limit, queue) = (round.rng.usize(1..5), round.rng.usize(..9));
            let shared = Limit::new(number(limit), queue, 5 * MS);
            let shared = Arc::new(shared);
            let mut callers = JoinSet::new();
            for _ in 0..50 {
                let limit = Arc::clone(&shared);
                callers.spawn(async move {
                    limit.run(pending::<()>).await.is_err()
                });
            }
            // The work is silent. All others are refused.
            let mut refused = 0;
            while refused < 50 - limit {
                let end = timeout(SLACK, callers.join_next()).await;
                let end = end.expect("a caller waits").expect("they run");
                assert!(end.expect("no panic"));
                refused += 1;
            }
            assert_eq!(shared.permits.available_permits(), 0);
            assert_eq!(shared.places.available_permits(), queue);
            callers.abort_all();
            while callers.join_next().await.is_some() {}
            assert_eq!(shared.permits.available_permits(), limit);
            assert_eq!(shared.places.available_permits(), limit + queue);
        });
    }

    #[test]
    fn each_caller_that_may_wait_runs_in_the_end() {
        stress::rounds(|mut round| async move {
            let limit = round.rng.usize(1..5);
            let shared = Limit::new(number(limit), 100, 2 * SLACK);
            let (shared, work) = (Arc::new(shared), Arc::<Work>::default());
            let start = Instant::now();
            let mut callers = JoinSet::new();
            for _ in 0..50 {
                let (limit, work) = (Arc::clone(&shared), Arc::clone(&work));
                let round = round.fork();
                callers
                    .spawn(async move { limit.run(|| work.run(round)).await });
            }
            while let Some(end) = callers.join_next().await {
                assert!(!matches!(end, Ok(Err(Busy))), "refused");
            }
            assert_eq!(work.started.load(SeqCst), 50);
            assert!(start.elapsed() < SLACK, "a wake-up is lost");
        });
    }

    #[test]
    fn each_key_has_a_limit_and_none_is_left() {
        stress::rounds(|mut round| async move {
            let limit = round.rng.usize(1..4);
            let shared = KeyedLimit::new(number(limit), 5, 2 * MS);
            let shared = Arc::new(shared);
            let works: [Arc<Work>; 3] = Default::default();
            let mut callers = JoinSet::new();
            for _ in 0..100 {
                let key = round.rng.usize(..3);
                let (limit, work) = (Arc::clone(&shared), works[key].clone());
                let mut round = round.fork();
                callers.spawn(async move {
                    sleep(round.duration(Duration::ZERO..5 * MS)).await;
                    let run = work.run(round.fork());
                    let call = limit.run(key, || run);
                    if round.rng.bool() {
                        round.cancel(2 * MS, call).await.is_some()
                    } else {
                        call.await.is_ok()
                    }
                });
            }
            while callers.join_next().await.is_some() {}
            for work in works {
                let most = work.peak.load(SeqCst);
                assert!(most <= limit, "{most} run, the limit is {limit}");
            }
            assert!(shared.keys().is_empty(), "a key is left");
        });
    }
}
