//! A delay queue: jobs are scheduled, moved and cancelled on several threads,
//! while workers receive and give up.

include!("../../../../snippets/time/delay-queue/delay_queue.rs");

mod stress {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
    use std::time::Duration;

    use tokio::task::JoinSet;
    use tokio::time::{Instant, sleep, timeout};
    use tokio_util::sync::CancellationToken;

    use super::Schedule;

    const MS: Duration = Duration::from_millis(1);
    const LONG: Duration = Duration::from_secs(60);

    /// By the number of its caller. A job is the number of its call.
    type Calls = Schedule<(usize, usize), usize>;

    /// Receives until all callers have ended and nothing is left. Gives up now
    /// and then.
    async fn receive(
        mut round: stress::Round,
        calls: Arc<Calls>,
        ended: Arc<AtomicBool>,
    ) -> Vec<usize> {
        let mut received = Vec::new();
        loop {
            let due = round.cancel(2 * MS, calls.next()).await;
            match due {
                Some((_, call, deadline)) => {
                    assert!(Instant::now() >= deadline, "too early");
                    received.push(call);
                }
                None if ended.load(Relaxed) && calls.lock().1.is_empty() => {
                    return received;
                }
                None => tokio::task::yield_now().await,
            }
        }
    }

    #[test]
    fn each_job_is_received_replaced_or_cancelled_once() {
        stress::rounds(|mut round| async move {
            let calls = Arc::new(Calls::new(20));
            let ended = Arc::new(AtomicBool::new(false));
            let mut workers = JoinSet::new();
            for _ in 0..3 {
                let (round, ended) = (round.fork(), ended.clone());
                workers.spawn(receive(round, calls.clone(), ended));
            }
            let mut callers = JoinSet::new();
            for caller in 0..3 {
                let (mut round, calls) = (round.fork(), calls.clone());
                callers.spawn(async move {
                    let (mut accepted, mut back) = (vec![], vec![]);
                    for number in 0..60 {
                        let call = caller * 1_000 + number;
                        let name = (caller, round.rng.usize(..10));
                        let delay = round.duration(Duration::ZERO..5 * MS);
                        match calls.call_later(name, call, delay) {
                            Ok(replaced) => {
                                accepted.push(call);
                                back.extend(replaced);
                            }
                            Err(refused) => assert_eq!(refused, call),
                        }
                        if round.rng.u8(..4) == 0 {
                            let name = (caller, round.rng.usize(..10));
                            back.extend(calls.cancel(&name));
                        }
                        assert!(calls.lock().1.len() <= 20, "the capacity");
                        if round.rng.bool() {
                            sleep(round.duration(Duration::ZERO..MS)).await;
                        }
                    }
                    (accepted, back)
                });
            }
            let (accepted, back): (Vec<_>, Vec<_>) =
                callers.join_all().await.into_iter().unzip();
            ended.store(true, Relaxed);
            let mut ends = workers.join_all().await.concat();
            ends.extend(back.concat());
            ends.sort();
            let mut accepted = accepted.concat();
            accepted.sort();
            assert_eq!(ends, accepted);
            let (queue, keys, _) = &*calls.lock();
            assert!(queue.is_empty() && keys.is_empty());
        });
    }

    /// The worker waits for a job that is due in a minute, or for none.
    #[test]
    fn an_earlier_job_wakes_the_worker() {
        stress::rounds(|mut round| async move {
            let calls = Arc::new(Calls::new(20));
            let workers = [(); 2].map(|()| {
                let calls = calls.clone();
                tokio::spawn(async move { calls.next().await.1 })
            });
            if round.rng.bool() {
                assert_eq!(calls.call_later((0, 0), 0, LONG), Ok(None));
            }
            sleep(round.duration(Duration::ZERO..3 * MS)).await;
            let delay = round.duration(Duration::ZERO..2 * MS);
            assert_eq!(calls.call_later((0, 1), 1, delay), Ok(None));
            // Moved, from a minute to now.
            assert_eq!(calls.call_later((0, 2), 2, LONG), Ok(None));
            assert_eq!(calls.call_later((0, 2), 3, delay), Ok(Some(2)));
            let mut received = Vec::new();
            for worker in workers {
                let end = timeout(stress::SLACK, worker).await;
                received.push(end.expect("woken").expect("no panic"));
            }
            received.sort();
            assert_eq!(received, [1, 3]);
        });
    }

    /// A worker that was to be woken is dropped, and another waits.
    #[test]
    fn a_dropped_worker_leaves_its_job_to_another() {
        stress::rounds(|mut round| async move {
            let calls = Arc::new(Calls::new(20));
            let workers = [(); 3].map(|()| {
                let calls = calls.clone();
                tokio::spawn(async move { calls.next().await.1 })
            });
            let [first, second, third] = workers;
            assert_eq!(calls.call_later((0, 1), 1, MS), Ok(None));
            sleep(round.duration(Duration::ZERO..3 * MS)).await;
            first.abort();
            second.abort();
            let mut received = Vec::new();
            for worker in [first, second] {
                received.extend(worker.await.ok());
            }
            // The third has the job, if the others have not.
            if received.is_empty() {
                let end = timeout(stress::SLACK, third).await;
                received.push(end.expect("woken").expect("no panic"));
            } else {
                third.abort();
            }
            assert_eq!(received, [1]);
        });
    }

    /// Callers and a worker go on while it is drained.
    #[test]
    fn what_is_drained_and_what_is_received_is_all() {
        stress::rounds(|mut round| async move {
            let calls = Arc::new(Calls::new(1_000));
            let mut callers = JoinSet::new();
            for caller in 0..2 {
                let (mut round, calls) = (round.fork(), calls.clone());
                callers.spawn(async move {
                    let mut accepted = Vec::new();
                    for number in 0..100 {
                        let call = caller * 1_000 + number;
                        let delay = round.duration(Duration::ZERO..2 * MS);
                        match calls.call_later((caller, call), call, delay) {
                            Ok(replaced) => {
                                assert_eq!(replaced, None);
                                accepted.push(call);
                            }
                            Err(refused) => assert_eq!(refused, call),
                        }
                        if round.rng.u8(..8) == 0 {
                            sleep(round.duration(Duration::ZERO..MS)).await;
                        }
                    }
                    accepted
                });
            }
            let (token, shared) = (CancellationToken::new(), calls.clone());
            let stop = token.clone();
            let worker = tokio::spawn(async move {
                let mut received = Vec::new();
                let next = || stop.run_until_cancelled(shared.next());
                while let Some((_, call, _)) = next().await {
                    received.push(call);
                }
                received
            });
            sleep(round.duration(Duration::ZERO..6 * MS)).await;
            let drained = calls.drain();
            let mut accepted = callers.join_all().await.concat();
            token.cancel();
            let mut ends = worker.await.expect("no panic");
            ends.extend(drained.into_iter().map(|(_, call, _)| call));
            ends.sort();
            accepted.sort();
            assert_eq!(ends, accepted);
            assert_eq!(calls.call_later((9, 9), 9, MS), Err(9), "closed");
            let (queue, keys, _) = &*calls.lock();
            assert!(queue.is_empty() && keys.is_empty());
        });
    }
}
