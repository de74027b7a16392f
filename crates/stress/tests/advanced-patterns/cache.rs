//! Values that are kept: many callers at random times, callers that give up, a
//! carrier that is slower than a value is kept, fails, or panics.

include!("../../../../snippets/advanced-patterns/cache/cache.rs");

mod stress {
    use std::collections::BTreeSet;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use futures::executor::block_on;
    use tokio::sync::Semaphore;
    use tokio::task::JoinSet;
    use tokio::time::{error::Elapsed, sleep};

    use stress::Waiting;

    use super::{Failure, Memo};

    const MS: Duration = Duration::from_millis(1);
    const LONG: Duration = Duration::from_secs(60);
    const FAILS: usize = 100;
    const PANICS: usize = 200;

    /// A key, and the number of the request that answered.
    type Value = (usize, usize);

    /// Counts its requests, and notes a second one for a key at the same time.
    /// Does not answer before the gate is closed.
    struct Carrier {
        requests: AtomicUsize,
        pending: Mutex<BTreeSet<usize>>,
        repeated: AtomicUsize,
        gate: Semaphore,
        time: Duration,
    }

    impl Carrier {
        async fn answer(&self, key: usize) -> anyhow::Result<Value> {
            let number = self.requests.fetch_add(1, Relaxed);
            let is_new = self.pending.lock().expect("no panic").insert(key);
            self.repeated.fetch_add(usize::from(!is_new), Relaxed);
            assert!(self.gate.acquire().await.is_err(), "it has closed");
            sleep(self.time * (number as u32 % 4)).await;
            self.pending.lock().expect("no panic").remove(&key);
            match key {
                PANICS.. => panic!("a comma in the price"),
                FAILS.. => anyhow::bail!("503 Service Unavailable"),
                _ => Ok((key, number)),
            }
        }
    }

    /// A cache, and its carrier.
    struct Values {
        memo: Memo<usize, Value>,
        carrier: Arc<Carrier>,
    }

    fn values(time_to_live: Duration, time: Duration) -> Arc<Values> {
        with_timeout(LONG, time_to_live, time)
    }

    fn with_timeout(
        timeout: Duration,
        time_to_live: Duration,
        time: Duration,
    ) -> Arc<Values> {
        let carrier = Arc::new(Carrier {
            requests: AtomicUsize::new(0),
            pending: Mutex::default(),
            repeated: AtomicUsize::new(0),
            gate: Semaphore::new(0),
            time,
        });
        let asked = Arc::clone(&carrier);
        let function = move |key| {
            let carrier = Arc::clone(&asked);
            async move { carrier.answer(key).await }
        };
        let memo = Memo::new(function, timeout, 100, time_to_live);
        Arc::new(Values { memo, carrier })
    }

    impl Values {
        /// A caller that can be a task.
        async fn get(self: Arc<Self>, key: usize) -> Result<Value, Failure> {
            self.memo.get(&key).await
        }

        fn answer(&self) {
            self.carrier.gate.close();
        }

        /// How many requests there were since the last call. None ran beside
        /// another one for its key.
        fn requests(&self) -> usize {
            assert_eq!(self.carrier.repeated.load(Relaxed), 0, "two at once");
            self.carrier.requests.swap(0, Relaxed)
        }
    }

    fn check(key: usize, result: Result<Value, Failure>) {
        let text = match (key, result) {
            (..FAILS, Ok((answered, _))) => return assert_eq!(answered, key),
            (_, Ok(value)) => panic!("{key}: {value:?}"),
            (..FAILS, Err(error)) => panic!("{key}: {error}"),
            (PANICS.., Err(error)) => (error, "a comma in the price"),
            (_, Err(error)) => (error, "503 Service Unavailable"),
        };
        let (error, text) = text;
        assert!(error.to_string().contains(text), "{key}: {error}");
    }

    #[test]
    fn callers_share_a_call_though_some_give_up() {
        stress::rounds(|mut round| async move {
            let values = values(LONG, MS);
            let mut callers = JoinSet::new();
            for caller in 0..40 {
                let (values, mut round) = (Arc::clone(&values), round.fork());
                callers.spawn(async move {
                    sleep(round.duration(Duration::ZERO..MS * 20)).await;
                    let key = caller % 2;
                    let value = values.get(key);
                    let value = match round.rng.bool() {
                        true => round.cancel(MS * 20, value).await,
                        false => Some(value.await),
                    };
                    if let Some(value) = value {
                        check(key, value);
                    }
                });
            }
            sleep(round.duration(Duration::ZERO..MS * 30)).await;
            values.answer();
            callers.join_all().await;
            assert_eq!(values.requests(), 2, "one for each key");
        });
    }

    /// Each caller comes when the call is older than the time to live.
    #[test]
    fn a_slow_carrier_is_asked_once() {
        stress::rounds(|_| async {
            let values = values(MS * 5, Duration::ZERO);
            let mut callers = JoinSet::new();
            for _ in 0..10 {
                callers.spawn(Arc::clone(&values).get(7));
                sleep(MS * 6).await;
            }
            values.answer();
            for value in callers.join_all().await {
                assert_eq!(value.expect("a value"), (7, 0));
            }
            assert_eq!(values.requests(), 1);
        });
    }

    /// Callers that come and give up all the time, and a carrier that may take
    /// longer than a value is kept.
    #[test]
    fn no_request_runs_beside_another_one_for_its_key() {
        stress::rounds(|mut round| async move {
            let time = round.choice([Duration::ZERO, MS, MS * 4]);
            let values = values(MS * 3, time);
            values.answer();
            let mut callers = JoinSet::new();
            for _ in 0..8 {
                let (values, mut round) = (Arc::clone(&values), round.fork());
                callers.spawn(async move {
                    for _ in 0..20 {
                        let key = round.choice([1, 2, FAILS, PANICS]);
                        let value = Arc::clone(&values).get(key);
                        let value = match round.rng.bool() {
                            true => round.cancel(MS * 10, value).await,
                            false => Some(value.await),
                        };
                        if let Some(value) = value {
                            check(key, value);
                        }
                    }
                });
            }
            callers.join_all().await;
            values.requests();
        });
    }

    #[test]
    fn a_value_is_not_older_than_its_time_to_live() {
        stress::rounds(|round| async move {
            let time_to_live = MS * 10;
            let values = values(time_to_live, MS);
            values.answer();
            let mut last = None;
            for _ in 0..5 {
                let mut callers = JoinSet::new();
                for _ in 0..=round.seed % 4 {
                    callers.spawn(Arc::clone(&values).get(7));
                }
                let mut newest = last;
                for value in callers.join_all().await {
                    let (_, number) = value.expect("a value");
                    assert!(Some(number) > last, "{number} is too old");
                    newest = newest.max(Some(number));
                }
                last = newest;
                // All that was inserted until now expires.
                sleep(time_to_live).await;
            }
            values.requests();
        });
    }

    /// A thread looks into the cache all the time while the value is replaced.
    #[test]
    fn an_expired_value_is_not_found_while_it_is_replaced() {
        stress::rounds(|_| async {
            let time_to_live = MS * 10;
            let values = values(time_to_live, Duration::ZERO);
            values.answer();
            for _ in 0..10 {
                let (_, old) = values.clone().get(7).await.expect("a value");
                sleep(time_to_live).await;
                let (seen, replaced) =
                    (Arc::clone(&values), Arc::new(AtomicBool::new(false)));
                let stop = Arc::clone(&replaced);
                let look = tokio::task::spawn_blocking(move || {
                    let mut found = None;
                    while found.is_none() && !stop.load(Relaxed) {
                        found = block_on(seen.memo.cache.get(&7));
                    }
                    found
                });
                sleep(MS).await;
                values.clone().get(7).await.expect("a value");
                replaced.store(true, Relaxed);
                if let Some((_, number)) = look.await.expect("no panic") {
                    assert!(number > old, "{number} was found though expired");
                }
            }
        });
    }

    #[test]
    fn a_silent_carrier_holds_up_no_caller() {
        stress::rounds(|mut round| async move {
            let values = with_timeout(MS * 200, LONG, MS);
            let mut callers = JoinSet::new();
            for _ in 0..20 {
                let (values, mut round) = (Arc::clone(&values), round.fork());
                callers.spawn(async move {
                    match round.rng.bool() {
                        true => round.cancel(MS * 20, values.get(7)).await,
                        false => Some(values.get(7).await),
                    }
                });
            }
            for result in callers.join_all().await.into_iter().flatten() {
                assert!(result.expect_err("a timeout").0.is::<Elapsed>());
            }
            values.answer();
            values.carrier.pending.lock().expect("no panic").clear();
            let (_, number) = values.clone().get(7).await.expect("a value");
            assert!(number > 0, "it has not asked again");
        });
    }

    #[test]
    fn a_failure_and_a_panic_are_shared_and_not_kept() {
        stress::rounds(|round| async move {
            let key = if round.seed % 2 == 0 { FAILS } else { PANICS };
            let values = values(LONG, Duration::ZERO);
            let (mut callers, waiting) = (JoinSet::new(), Waiting::default());
            for _ in 0..20 {
                let get = Arc::clone(&values).get(key);
                callers.spawn(waiting.clone().counted(get));
            }
            waiting.until(20).await;
            sleep(MS * 20).await;
            values.answer();
            for value in callers.join_all().await {
                check(key, value);
            }
            // Each caller starts a task, which joins the call. On a busy machine
            // one may start after the failure, and asks again.
            let requests = values.requests();
            assert!((1..=3).contains(&requests), "{requests} requests");
            check(key, Arc::clone(&values).get(key).await);
            assert_eq!(values.requests(), 1, "it was kept");
        });
    }
}
