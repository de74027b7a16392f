//! Shared requests: callers at random times, callers that give up, a slow
//! upstream, one that fails, and one that panics.

include!(
    "../../../../snippets/advanced-patterns/single-flight/single_flight.rs"
);

mod stress {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    use std::time::Duration;

    use tokio::sync::Semaphore;
    use tokio::task::JoinSet;
    use tokio::time::{sleep, timeout};

    use super::Rates;

    const MS: Duration = Duration::from_millis(1);
    const CAPACITY: usize = 4;

    fn rates(time_to_live: Duration) -> Arc<Rates> {
        let flights = Default::default();
        Arc::new(Rates { flights, time_to_live, capacity: CAPACITY })
    }

    /// Does not answer before `gate` is closed, and counts its requests.
    #[derive(Clone)]
    struct Upstream {
        requests: Arc<AtomicUsize>,
        running: Arc<()>,
        gate: Arc<Semaphore>,
    }

    impl Upstream {
        fn new() -> Self {
            let gate = Arc::new(Semaphore::new(0));
            Upstream { requests: Arc::default(), running: Arc::default(), gate }
        }

        fn request(
            &self,
            rate: f64,
        ) -> impl Future<Output = anyhow::Result<f64>> + use<> {
            let Upstream { requests, running, gate } = self.clone();
            async move {
                let running = running; // until it ends or is cancelled
                requests.fetch_add(1, Relaxed);
                assert!(gate.acquire().await.is_err(), "it has closed");
                drop(running);
                anyhow::ensure!(rate > 0.0, "the upstream is down");
                assert!(rate < 1_000.0, "a comma in the rate");
                Ok(rate)
            }
        }

        fn answer(&self) {
            self.gate.close();
        }

        fn requests(&self) -> usize {
            self.requests.swap(0, Relaxed)
        }
    }

    #[test]
    fn callers_share_a_request_though_some_give_up() {
        stress::rounds(|mut round| async move {
            let (rates, upstream) = (rates(MS * 60_000), Upstream::new());
            let mut callers = JoinSet::new();
            for caller in 0..40 {
                let (rates, upstream) = (Arc::clone(&rates), upstream.clone());
                let mut round = round.fork();
                callers.spawn(async move {
                    sleep(round.duration(Duration::ZERO..MS * 20)).await;
                    let key = if caller % 2 == 0 { "EUR" } else { "GBP" };
                    let rate = if caller % 2 == 0 { 1.08 } else { 1.17 };
                    let answer = rates.get(key, upstream.request(rate));
                    let answer = if round.rng.bool() {
                        round.cancel(MS * 20, answer).await
                    } else {
                        Some(answer.await)
                    };
                    if let Some(answer) = answer {
                        assert_eq!(answer.expect("an answer"), rate);
                    }
                });
            }
            sleep(round.duration(Duration::ZERO..MS * 30)).await;
            upstream.answer();
            callers.join_all().await;
            assert_eq!(upstream.requests(), 2, "one for each key");
        });
    }

    /// Each caller comes when the request before is older than the limit.
    #[test]
    fn a_slow_upstream_is_asked_once() {
        stress::known_to_fail("requests at the same time: 10", |_| async {
            let (rates, upstream) = (rates(MS * 5), Upstream::new());
            let mut callers = JoinSet::new();
            for _ in 0..10 {
                callers.spawn(rates.get("EUR", upstream.request(1.08)));
                sleep(MS * 6).await;
            }
            upstream.answer();
            let answers = callers.join_all().await;
            assert!(answers.iter().all(Result::is_ok));
            let requests = upstream.requests();
            assert_eq!(requests, 1, "requests at the same time: {requests}");
        });
    }

    #[test]
    fn an_old_answer_is_asked_for_again() {
        stress::rounds(|_| async {
            let (rates, upstream) = (rates(MS * 20), Upstream::new());
            upstream.answer();
            for rate in [1.08, 1.09, 1.10] {
                let answer = rates.get("EUR", upstream.request(rate)).await;
                assert_eq!(answer.expect("an answer"), rate);
                sleep(MS * 25).await;
            }
        });
    }

    #[test]
    fn a_failure_and_a_panic_are_shared_and_not_kept() {
        stress::rounds(|round| async move {
            let (rates, upstream) = (rates(MS * 60_000), Upstream::new());
            let (rate, text) = match round.seed % 2 {
                0 => (-1.0, "the upstream is down"),
                _ => (1e9, "a comma in the rate"),
            };
            let mut callers = JoinSet::new();
            for _ in 0..20 {
                callers.spawn(rates.get("EUR", upstream.request(rate)));
            }
            upstream.answer();
            for answer in callers.join_all().await {
                let error = answer.expect_err("a failure").to_string();
                assert!(error.contains(text), "{error}");
            }
            // A caller that comes after the failure asks again.
            assert_eq!(upstream.requests(), 1);
            let again = rates.get("EUR", upstream.request(1.08)).await;
            assert_eq!(again.expect("an answer"), 1.08);
            assert_eq!(upstream.requests(), 1);
        });
    }

    #[test]
    fn the_map_is_bounded_and_no_request_runs_for_nobody() {
        stress::rounds(|mut round| async move {
            let (rates, upstream) = (rates(MS * 60_000), Upstream::new());
            let mut callers = JoinSet::new();
            let mut waiting = JoinSet::new();
            for caller in 0..8 {
                let (rates, upstream) = (Arc::clone(&rates), upstream.clone());
                let mut round = round.fork();
                let key = format!("kept {caller}");
                waiting.spawn(rates.get(&key, upstream.request(1.0)));
                callers.spawn(async move {
                    for number in 0..10 {
                        let key = format!("{caller} {number}");
                        let answer = rates.get(&key, upstream.request(1.0));
                        round.cancel(MS * 2, answer).await;
                        let flights = rates.flights.lock().expect("no panic");
                        assert!(flights.len() <= CAPACITY);
                    }
                });
            }
            callers.join_all().await;
            // What nobody waits for and the map has dropped ends soon.
            let idle = async {
                while Arc::strong_count(&upstream.running) > 8 + CAPACITY + 1 {
                    sleep(MS).await;
                }
            };
            let ended = timeout(MS * 1_000, idle).await;
            ended.expect("a request runs for nobody");
            upstream.answer();
            for answer in waiting.join_all().await {
                answer.expect("it was waited for");
            }
        });
    }
}
