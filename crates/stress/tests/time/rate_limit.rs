//! `Pace` on several threads: the quota, the order, the places, a pause, and
//! callers that give up.

include!("../../../../snippets/time/rate-limit/rate_limit.rs");

mod stress {
    use std::num::NonZeroU32;
    use std::sync::Arc;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
    use std::time::Duration;

    use futures::future::join_all;
    use governor::Quota;
    use stress::SLACK;
    use tokio::task::JoinSet;
    use tokio::time::{Instant, sleep, timeout};

    use super::Pace;

    const MS: Duration = Duration::from_millis(1);

    /// A call in each `period`, and so many at once.
    fn quota(period: Duration, burst: u32) -> Quota {
        let quota = Quota::with_period(period).expect("not zero");
        quota.allow_burst(NonZeroU32::new(burst).expect("not zero"))
    }

    #[test]
    fn there_are_never_more_calls_than_the_quota() {
        stress::rounds(|mut round| async move {
            let (period, burst) = (MS * 20, round.choice([1, 3, 10]));
            let start = Instant::now();
            let pace = Arc::new(Pace::new(quota(period, burst), 100));
            let called = Arc::new(AtomicU32::new(0));
            let mut callers = JoinSet::new();
            for _ in 0..30 {
                let (pace, called) = (Arc::clone(&pace), Arc::clone(&called));
                let mut round = round.fork();
                callers.spawn(async move {
                    let ready = round.cancel(MS * 800, pace.ready()).await;
                    if let Some(ready) = ready {
                        ready.expect("a place");
                        let called = called.fetch_add(1, SeqCst) + 1;
                        let due = start.elapsed().div_duration_f64(period);
                        let most = f64::from(burst) + due;
                        assert!(f64::from(called) <= most, "{called}, {most}");
                    }
                });
            }
            while let Some(end) = callers.join_next().await {
                end.expect("no panic");
            }
            assert_eq!(pace.places.available_permits(), 100);
            assert!(pace.turn.try_lock().is_ok());
        });
    }

    #[test]
    fn callers_are_served_in_order() {
        stress::rounds(|_| async {
            let pace = Pace::new(quota(MS * 5, 2), 8);
            let order = Mutex::new(Vec::new());
            join_all((0..8).map(async |number| {
                pace.ready().await.expect("a place");
                order.lock().expect("no panic").push(number);
            }))
            .await;
            let order = order.into_inner().expect("no panic");
            assert!(order.is_sorted(), "{order:?}");
        });
    }

    #[test]
    fn callers_without_a_place_are_refused_and_those_that_give_up_free_theirs()
    {
        stress::rounds(|mut round| async move {
            // The first call is free, and there is no other for an hour.
            let pace = Arc::new(Pace::new(quota(MS * 3_600_000, 1), 5));
            pace.ready().await.expect("the first");
            let mut waiting = JoinSet::new();
            for _ in 0..5 {
                let pace = Arc::clone(&pace);
                waiting.spawn(async move { pace.ready().await });
            }
            while pace.places.available_permits() > 0 {
                sleep(MS).await;
            }
            for _ in 0..10 {
                pace.ready().await.expect_err("no place");
            }
            sleep(round.duration(Duration::ZERO..MS * 5)).await;
            waiting.shutdown().await;
            assert_eq!(pace.places.available_permits(), 5);
            // None of them has taken the next call, and the queue works.
            assert!(timeout(MS * 20, pace.ready()).await.is_err());
        });
    }

    #[test]
    fn a_caller_that_gives_up_leaves_its_call_to_the_next_one() {
        stress::rounds(|mut round| async move {
            let pace = Arc::new(Pace::new(quota(MS * 200, 1), 20));
            let start = Instant::now();
            pace.ready().await.expect("the first");
            for _ in 0..10 {
                // All of them before the second call is due.
                let within = MS * 10;
                let given_up = round.cancel(within, pace.ready()).await;
                if given_up.is_some() {
                    return; // the machine was too slow for this round
                }
            }
            pace.ready().await.expect("the second");
            // If each had taken a call, it would be two seconds.
            let elapsed = start.elapsed();
            assert!(elapsed >= MS * 200, "{elapsed:?}");
            assert!(elapsed < MS * 300 + SLACK, "{elapsed:?}");
        });
    }

    #[test]
    fn a_pause_stops_those_that_wait_and_ends() {
        stress::rounds(|mut round| async move {
            let pace = Arc::new(Pace::new(quota(MS, 5), 20));
            let called = Arc::new(AtomicU32::new(0));
            let (shared, count) = (Arc::clone(&pace), Arc::clone(&called));
            let caller = tokio::spawn(async move {
                loop {
                    shared.ready().await.expect("a place");
                    count.fetch_add(1, SeqCst);
                }
            });
            sleep(round.duration(Duration::ZERO..MS * 50)).await;
            pace.pause(MS * 300);
            let paused = Instant::now();
            let before = called.load(SeqCst);
            sleep(MS * 100).await;
            let during = called.load(SeqCst) - before;
            // One call may have been ready already.
            if paused.elapsed() < MS * 290 {
                assert!(during <= 1, "{during}");
            }
            let again = async {
                while called.load(SeqCst) < before + 5 {
                    sleep(MS).await;
                }
            };
            timeout(SLACK * 2, again).await.expect("calls after the pause");
            caller.abort();
            assert!(caller.await.expect_err("no end").is_cancelled());
        });
    }
}
