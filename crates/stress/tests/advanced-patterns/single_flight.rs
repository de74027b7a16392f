//! Shared requests: callers at random times, callers that give up, a carrier
//! that is slow, silent, fails, or panics.

include!(
    "../../../../snippets/advanced-patterns/single-flight/single_flight.rs"
);

mod stress {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    use std::time::Duration;

    use tokio::sync::Semaphore;
    use tokio::task::JoinSet;
    use tokio::time::{Instant, error::Elapsed, sleep, timeout};

    use stress::Waiting;

    use super::{Failure, SingleFlight};

    const MS: Duration = Duration::from_millis(1);
    const LONG: Duration = Duration::from_secs(60);
    const CAPACITY: usize = 4;
    const PRICE: i32 = 1250;

    /// Does not answer before `gate` is closed, and counts its requests.
    #[derive(Clone)]
    struct Carrier {
        requests: Arc<AtomicUsize>,
        running: Arc<()>,
        gate: Arc<Semaphore>,
    }

    impl Carrier {
        fn new() -> Self {
            let gate = Arc::new(Semaphore::new(0));
            Carrier { requests: Arc::default(), running: Arc::default(), gate }
        }

        async fn request(self, price: i32) -> anyhow::Result<i32> {
            let Carrier { requests, running, gate } = self;
            requests.fetch_add(1, Relaxed);
            assert!(gate.acquire().await.is_err(), "it has closed");
            drop(running); // or when it is cancelled
            anyhow::ensure!(price > 0, "503 Service Unavailable");
            assert!(price < 1_000_000, "a comma in the price");
            Ok(price)
        }

        fn answer(&self) {
            self.gate.close();
        }

        fn requests(&self) -> usize {
            self.requests.swap(0, Relaxed)
        }
    }

    /// Prices, and the carrier that is asked for them.
    #[derive(Clone)]
    struct Quotes {
        quotes: Arc<SingleFlight<i32>>,
        carrier: Carrier,
    }

    impl Quotes {
        fn new(timeout: Duration, time_to_live: Duration) -> Self {
            let (flights, capacity) = (Default::default(), CAPACITY);
            let quotes =
                SingleFlight { flights, timeout, time_to_live, capacity };
            Quotes { quotes: Arc::new(quotes), carrier: Carrier::new() }
        }

        /// A caller that can be a task.
        async fn get(self, key: String, price: i32) -> Result<i32, Failure> {
            let Quotes { quotes, carrier } = self;
            quotes.get(&key, move || carrier.request(price)).await
        }
    }

    #[test]
    fn callers_share_a_request_though_some_give_up() {
        stress::rounds(|mut round| async move {
            let quotes = Quotes::new(LONG, LONG);
            let mut callers = JoinSet::new();
            for caller in 0..40 {
                let (quotes, mut round) = (quotes.clone(), round.fork());
                callers.spawn(async move {
                    sleep(round.duration(Duration::ZERO..MS * 20)).await;
                    let price = 1 + caller % 2;
                    let value = quotes.get(price.to_string(), price);
                    let value = if round.rng.bool() {
                        round.cancel(MS * 20, value).await
                    } else {
                        Some(value.await)
                    };
                    if let Some(value) = value {
                        assert_eq!(value.expect("a price"), price);
                    }
                });
            }
            sleep(round.duration(Duration::ZERO..MS * 30)).await;
            quotes.carrier.answer();
            callers.join_all().await;
            assert_eq!(quotes.carrier.requests(), 2, "one for each key");
        });
    }

    /// Each caller comes when the request is older than the time to live.
    #[test]
    fn a_slow_carrier_is_asked_once() {
        stress::rounds(|_| async {
            let quotes = Quotes::new(LONG, MS * 5);
            let mut callers = JoinSet::new();
            for _ in 0..10 {
                callers.spawn(quotes.clone().get("7".into(), PRICE));
                sleep(MS * 6).await;
            }
            quotes.carrier.answer();
            let values = callers.join_all().await;
            assert!(values.iter().all(Result::is_ok));
            let requests = quotes.carrier.requests();
            assert_eq!(requests, 1, "requests at the same time: {requests}");
        });
    }

    /// The last caller may give up before the request completes: nobody sees
    /// when it does.
    #[test]
    fn an_old_value_is_asked_for_again() {
        stress::rounds(|mut round| async move {
            let quotes = Quotes::new(LONG, MS * 20);
            for price in [1250, 1260, 1270] {
                let value = quotes.clone().get("7".into(), price);
                if round.rng.bool() {
                    let limit = timeout(MS, value).await;
                    assert!(limit.is_err() || price > 1250);
                    quotes.carrier.answer();
                } else {
                    quotes.carrier.answer();
                    assert_eq!(value.await.expect("a price"), price);
                }
                sleep(MS * 25).await;
            }
        });
    }

    #[test]
    fn a_failure_and_a_panic_are_shared_and_not_kept() {
        stress::rounds(|round| async move {
            let quotes = Quotes::new(LONG, LONG);
            let (price, text) = match round.seed % 2 {
                0 => (-1, "503 Service Unavailable"),
                _ => (1_000_000_000, "a comma in the price"),
            };
            let (mut callers, waiting) = (JoinSet::new(), Waiting::default());
            for _ in 0..20 {
                let get = quotes.clone().get("7".into(), price);
                callers.spawn(waiting.clone().counted(get));
            }
            waiting.until(20).await;
            while quotes.carrier.requests.load(Relaxed) == 0 {
                sleep(MS).await;
            }
            quotes.carrier.answer();
            for value in callers.join_all().await {
                let error = value.expect_err("a failure").to_string();
                assert!(error.contains(text), "{error}");
            }
            // A caller that comes after the failure asks again.
            assert_eq!(quotes.carrier.requests(), 1);
            let again = quotes.clone().get("7".into(), PRICE).await;
            assert_eq!(again.expect("a price"), PRICE);
            assert_eq!(quotes.carrier.requests(), 1);
        });
    }

    #[test]
    fn callers_of_a_silent_carrier_have_an_error_in_time() {
        stress::rounds(|mut round| async move {
            let quotes = Quotes::new(MS * 50, LONG);
            let start = Instant::now();
            let mut callers = JoinSet::new();
            for _ in 0..20 {
                let time = round.duration(Duration::ZERO..MS * 20);
                let value = quotes.clone().get("7".into(), PRICE);
                callers.spawn(async move {
                    sleep(time).await;
                    value.await
                });
            }
            for value in callers.join_all().await {
                let Failure(error) = value.expect_err("a failure");
                assert!(error.is::<Elapsed>());
            }
            assert!(start.elapsed() < MS * 1_000);
            assert_eq!(Arc::strong_count(&quotes.carrier.running), 1);
        });
    }

    #[test]
    fn the_map_is_bounded_and_no_request_runs_without_a_caller() {
        stress::rounds(|mut round| async move {
            let quotes = Quotes::new(LONG, LONG);
            let mut callers = JoinSet::new();
            let mut waiting = JoinSet::new();
            for caller in 0..8 {
                let (quotes, mut round) = (quotes.clone(), round.fork());
                let kept = quotes.clone().get(format!("kept {caller}"), PRICE);
                waiting.spawn(kept);
                callers.spawn(async move {
                    for number in 0..10 {
                        let key = format!("{caller} {number}");
                        let value = quotes.clone().get(key, PRICE);
                        round.cancel(MS * 2, value).await;
                        let flights = quotes.quotes.flights.lock();
                        let known = flights.expect("no panic").len();
                        assert!(known <= CAPACITY);
                    }
                });
            }
            callers.join_all().await;
            // A request that has no caller and is not in the map ends soon.
            // The map keeps CAPACITY, the callers 8.
            let running = &quotes.carrier.running;
            let idle = async {
                while Arc::strong_count(running) > 8 + CAPACITY + 1 {
                    sleep(MS).await;
                }
            };
            let ended = timeout(MS * 1_000, idle).await;
            ended.expect("a request runs without a caller");
            quotes.carrier.answer();
            for value in waiting.join_all().await {
                value.expect("its caller has waited");
            }
        });
    }
}
