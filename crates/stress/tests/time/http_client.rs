//! `limited` with many callers that fail, panic and are cancelled, and the
//! client of `settings` after requests that were given up.

include!("../../../../snippets/time/http-client/http_client.rs");

mod stress {
    use std::future::pending;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::time::Duration;

    use stress::SLACK;
    use tokio::sync::Semaphore;
    use tokio::task::JoinSet;
    use tokio::time::{Instant, sleep};

    use super::{Counts, Signed, fetch, limited, settings, start, tls};

    const MS: Duration = Duration::from_millis(1);

    /// How many requests run, until it is dropped.
    struct Running(Arc<AtomicUsize>);

    impl Drop for Running {
        fn drop(&mut self) {
            self.0.fetch_sub(1, SeqCst);
        }
    }

    #[test]
    fn no_more_than_the_limit_run_and_every_permit_comes_back() {
        stress::rounds(|mut round| async move {
            let limit = round.choice([1, 3, 10]);
            let permits = Arc::new(Semaphore::new(limit));
            let running = Arc::new(AtomicUsize::new(0));
            let mut callers = JoinSet::new();
            for _ in 0..50 {
                let permits = Arc::clone(&permits);
                let running = Arc::clone(&running);
                let mut round = round.fork();
                callers.spawn(async move {
                    let time = round.duration(Duration::ZERO..MS * 5);
                    let end = round.choice(["ok", "error", "panic"]);
                    let request = || async {
                        let before = running.fetch_add(1, SeqCst);
                        let _running = Running(Arc::clone(&running));
                        assert!(before < limit, "{before} of {limit}");
                        sleep(time).await;
                        match end {
                            "ok" => Ok(()),
                            "error" => Err(()),
                            _ => std::panic::resume_unwind(Box::new("a fault")),
                        }
                    };
                    let got = limited(&permits, SLACK * 5, request);
                    round.cancel(MS * 20, got).await;
                });
            }
            while let Some(end) = callers.join_next().await {
                if let Err(error) = end {
                    let panic = error.into_panic();
                    let fault = panic.downcast_ref::<&str>();
                    assert_eq!(fault.copied(), Some("a fault"));
                }
            }
            assert_eq!(running.load(SeqCst), 0);
            assert_eq!(permits.available_permits(), limit);
        });
    }

    #[test]
    fn a_caller_without_a_permit_is_refused_and_sends_nothing() {
        stress::rounds(|mut round| async move {
            let permits = Arc::new(Semaphore::new(2));
            let wait = round.duration(MS..MS * 50);
            let mut holders = JoinSet::new();
            for _ in 0..2 {
                let permits = Arc::clone(&permits);
                holders.spawn(async move {
                    limited(&permits, SLACK, pending::<()>).await
                });
            }
            while permits.available_permits() > 0 {
                sleep(MS).await;
            }
            let start = Instant::now();
            let request = || async { unreachable!("it has no permit") };
            let got: Result<(), _> = limited(&permits, wait, request).await;
            let elapsed = start.elapsed();
            assert!(got.is_err());
            assert!(wait <= elapsed && elapsed < wait + SLACK, "{elapsed:?}");
            // The silent requests are given up: another one may run.
            holders.shutdown().await;
            let got = limited(&permits, SLACK, async || 7).await;
            assert_eq!(got.expect("a permit"), 7);
        });
    }

    #[test]
    fn a_client_is_usable_after_requests_that_were_given_up() {
        stress::rounds(|mut round| async move {
            let counts = Arc::new(Counts::default());
            let ours = Signed::new("ours", 2999).expect("a certificate");
            let tls = tls(&ours, &ours).expect("a certificate");
            let carrier = start(tls, &counts).await.expect("a carrier");
            let identity = ours.identity();
            let roots = ours.certificate.as_bytes();
            let builder = settings(roots, identity.as_bytes());
            let builder = builder.expect("PEM").no_proxy();
            let builder = builder.resolve("carrier.example", carrier);
            // On a busy machine a request may take long.
            let builder = builder.timeout(SLACK * 5).read_timeout(SLACK * 5);
            let builder = builder.connect_timeout(SLACK * 5);
            let builder = match round.choice([true, false]) {
                true => builder.http1_only(),
                false => builder.http2_keep_alive_interval(SLACK * 5),
            };
            let client = builder.build().expect("a client");
            let port = carrier.port();
            let url = |path| format!("https://carrier.example:{port}/{path}");
            let permits = Semaphore::new(2);
            for _ in 0..10 {
                let path = round.choice(["show", "slow", "silent", "drip"]);
                let url = url(path);
                let got = limited(&permits, SLACK, || fetch(&client, &url));
                round.cancel(MS * 10, got).await;
                assert_eq!(permits.available_permits(), 2);
            }
            let url = url("show");
            let got = limited(&permits, SLACK, || fetch(&client, &url)).await;
            let body = got.expect("a permit").expect("a response");
            assert!(body.contains("parcels/1.0"), "{body}");
        });
    }
}
