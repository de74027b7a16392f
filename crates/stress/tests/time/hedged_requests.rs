//! Hedged requests with many callers: the first success is the result, the
//! other request ends, and second requests stay within the budget.

include!("../../../../snippets/time/hedged-requests/hedged_requests.rs");

mod stress {
    use std::collections::VecDeque;
    use std::future::pending;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use anyhow::bail;
    use stress::{Round, SLACK};
    use tokio::task::JoinSet;
    use tokio::time::error::Elapsed;
    use tokio::time::{Instant, sleep};

    use super::Hedge;

    const MS: Duration = Duration::from_millis(1);
    const SAMPLES: usize = 20;
    const COST: u32 = 5;

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Reply {
        Ok,
        Down,
        Panic,
        Silence,
    }

    /// A hedge with a delay of 1 ms, and a budget for so many second requests.
    fn hedge(second: u32) -> Arc<Hedge> {
        Arc::new(Hedge {
            percentile: 0.5,
            samples: SAMPLES,
            cost: COST,
            budget: Mutex::new(second * COST),
            times: Mutex::new(VecDeque::from([MS; SAMPLES])),
        })
    }

    /// What became of the requests of one call.
    #[derive(Default)]
    struct Call {
        sent: AtomicUsize,
        pending: AtomicUsize,
        succeeded: Mutex<Vec<usize>>,
        failed: AtomicUsize,
    }

    struct Pending<'c>(&'c AtomicUsize);

    impl Drop for Pending<'_> {
        fn drop(&mut self) {
            self.0.fetch_sub(1, SeqCst);
        }
    }

    impl Call {
        async fn track(
            &self,
            replies: [(Reply, Duration); 2],
        ) -> anyhow::Result<usize> {
            let number = self.sent.fetch_add(1, SeqCst);
            self.pending.fetch_add(1, SeqCst);
            let _pending = Pending(&self.pending);
            let (reply, time) = replies[number];
            sleep(time).await;
            match reply {
                Reply::Ok => {
                    let mut succeeded =
                        self.succeeded.lock().expect("no panic");
                    succeeded.push(number);
                    Ok(number)
                }
                Reply::Down => {
                    self.failed.fetch_add(1, SeqCst);
                    bail!("503")
                }
                Reply::Panic => panic!("a comma in the status"),
                Reply::Silence => pending().await,
            }
        }
    }

    fn replies(round: &mut Round, among: &[Reply]) -> [(Reply, Duration); 2] {
        [(); 2].map(|()| {
            let reply = among[round.rng.usize(..among.len())];
            (reply, round.duration(Duration::ZERO..3 * MS))
        })
    }

    #[test]
    fn a_success_is_the_result_and_nothing_runs_on() {
        stress::rounds(|mut round| async move {
            let hedge = hedge(10);
            let mut callers = JoinSet::new();
            for _ in 0..20 {
                let (hedge, mut round) = (Arc::clone(&hedge), round.fork());
                callers.spawn(async move {
                    for _ in 0..10 {
                        let among = [Reply::Ok, Reply::Down];
                        let replies = replies(&mut round, &among);
                        let call = Call::default();
                        let deadline = Instant::now() + 2 * SLACK;
                        let request = || call.track(replies);
                        let result = hedge.call(deadline, request).await;
                        assert_eq!(call.pending.load(SeqCst), 0);
                        let sent = call.sent.load(SeqCst);
                        let succeeded = call.succeeded.lock().expect("none");
                        match result {
                            // Both may succeed at the same moment.
                            Ok(number) => assert!(succeeded.contains(&number)),
                            Err(_) => {
                                assert!(succeeded.is_empty());
                                assert_eq!(call.failed.load(SeqCst), sent);
                            }
                        }
                    }
                });
            }
            callers.join_all().await;
        });
    }

    #[test]
    fn a_silent_service_has_an_error_in_time_and_nothing_runs_on() {
        stress::rounds(|mut round| async move {
            let hedge = hedge(10);
            let mut callers = JoinSet::new();
            for _ in 0..20 {
                let (hedge, mut round) = (Arc::clone(&hedge), round.fork());
                callers.spawn(async move {
                    let replies = [(Reply::Silence, Duration::ZERO); 2];
                    let call = Call::default();
                    let start = Instant::now();
                    let request = || call.track(replies);
                    let limit = round.duration(Duration::ZERO..10 * MS);
                    let result = hedge.call(start + limit, request).await;
                    let error = result.expect_err("silence");
                    assert!(error.is::<Elapsed>(), "{error}");
                    assert!(start.elapsed() < limit + SLACK);
                    assert_eq!(call.pending.load(SeqCst), 0);
                });
            }
            callers.join_all().await;
        });
    }

    /// Whatever becomes of a call, it has one second request at most, and all
    /// of them have no more than the budget lends.
    #[test]
    fn the_second_requests_stay_within_the_budget() {
        stress::rounds(|mut round| async move {
            const CALLS: usize = 400;
            let lent = round.rng.u32(..5);
            let hedge = hedge(lent);
            let second = Arc::new(AtomicUsize::new(0));
            let mut callers = JoinSet::new();
            for _ in 0..CALLS / 10 {
                let (hedge, mut round) = (Arc::clone(&hedge), round.fork());
                let second = Arc::clone(&second);
                callers.spawn(async move {
                    for _ in 0..10 {
                        let among = [
                            Reply::Ok,
                            Reply::Down,
                            Reply::Panic,
                            Reply::Silence,
                        ];
                        let replies = replies(&mut round, &among);
                        let call = Arc::new(Call::default());
                        let (hedge, of_task) = (hedge.clone(), call.clone());
                        let mut fork = round.fork();
                        // A task, because a request may panic.
                        let task = tokio::spawn(async move {
                            let deadline = Instant::now() + 5 * MS;
                            let request = || of_task.track(replies);
                            let result = hedge.call(deadline, request);
                            drop(fork.cancel(8 * MS, result).await);
                        });
                        if let Err(error) = task.await {
                            assert!(error.is_panic());
                        }
                        assert_eq!(call.pending.load(SeqCst), 0);
                        let sent = call.sent.load(SeqCst);
                        second.fetch_add(sent.saturating_sub(1), SeqCst);
                    }
                });
            }
            callers.join_all().await;
            let second = second.load(SeqCst);
            let most = lent as usize + CALLS / COST as usize;
            assert!(
                second <= most,
                "{second} second requests, {most} are lent"
            );
            assert!(*hedge.budget.lock().expect("no panic") <= 10 * COST);
            let times = hedge.times.lock().expect("no panic").len();
            assert_eq!(times, SAMPLES);
        });
    }

    /// Its callers have less time than the delay: nothing is known of the
    /// service, and the delay stays.
    #[test]
    fn calls_that_are_cut_before_the_delay_do_not_change_it() {
        stress::rounds(|mut round| async move {
            let hedge = hedge(10);
            let delay = 2 * SLACK;
            *hedge.times.lock().expect("no panic") =
                VecDeque::from([delay; SAMPLES]);
            let mut callers = JoinSet::new();
            for _ in 0..2 * SAMPLES {
                let (hedge, mut round) = (Arc::clone(&hedge), round.fork());
                callers.spawn(async move {
                    let replies = [(Reply::Silence, Duration::ZERO); 2];
                    let call = Call::default();
                    let limit = round.duration(Duration::ZERO..5 * MS);
                    let request = || call.track(replies);
                    let result = hedge.call(Instant::now() + limit, request);
                    result.await.expect_err("silence");
                    assert_eq!(call.sent.load(SeqCst), 1);
                });
            }
            callers.join_all().await;
            assert_eq!(hedge.delay(), delay);
        });
    }
}
