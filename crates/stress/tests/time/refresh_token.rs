//! One token for many callers, some of which leave, and refreshes that fail,
//! panic or are silent.

include!("../../../../snippets/time/refresh-token/refresh_token.rs");

mod stress {
    use std::pin::pin;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use axum::Router;
    use axum::http::{HeaderMap, StatusCode};
    use axum::routing::get;
    use futures::future::FutureExt;
    use futures::poll;
    use reqwest::header::{AUTHORIZATION, HeaderValue};
    use tokio::net::TcpListener;
    use tokio::sync::Semaphore;
    use tokio::task::{JoinError, JoinSet};
    use tokio::time::{error::Elapsed, sleep};

    use super::{Grant, Outcome, Tokens, number, track};

    const MS: Duration = Duration::from_millis(1);
    const LONG: Duration = Duration::from_secs(60);

    /// Does not answer before it has a permit of `gate`, and counts its
    /// requests.
    struct Provider {
        requests: AtomicUsize,
        running: AtomicUsize,
        mode: Mutex<&'static str>,
        gate: Semaphore,
    }

    impl Provider {
        fn new(mode: &'static str) -> Arc<Self> {
            Arc::new(Provider {
                requests: AtomicUsize::new(0),
                running: AtomicUsize::new(0),
                mode: Mutex::new(mode),
                gate: Semaphore::new(0),
            })
        }

        fn set(&self, mode: &'static str) {
            *self.mode.lock().expect("no panic") = mode;
        }

        async fn grant(self: Arc<Self>) -> super::Result<Grant> {
            let number = self.requests.fetch_add(1, SeqCst) + 1;
            let others = self.running.fetch_add(1, SeqCst);
            let _running = Running(&self.running);
            assert_eq!(others, 0, "one at a time");
            let mode = *self.mode.lock().expect("no panic");
            if mode == "silent" {
                std::future::pending().await
            }
            self.gate.acquire().await.expect("open").forget();
            assert_ne!(mode, "panics", "a comma in the answer");
            match mode {
                "fails" => Err("503 Service Unavailable".into()),
                _ => Ok(Grant(number.to_string(), LONG)),
            }
        }

        fn requests(&self) -> usize {
            self.requests.load(SeqCst)
        }
    }

    /// Counts down when the request ends, or is dropped.
    struct Running<'a>(&'a AtomicUsize);

    impl Drop for Running<'_> {
        fn drop(&mut self) {
            self.0.fetch_sub(1, SeqCst);
        }
    }

    fn tokens(
        provider: &Arc<Provider>,
        timeout: Duration,
        pause: Duration,
    ) -> Arc<Tokens> {
        let provider = Arc::clone(provider);
        Arc::new(Tokens {
            request: Box::new(move || Arc::clone(&provider).grant().boxed()),
            timeout,
            margin: LONG / 12,
            pause,
            state: Mutex::default(),
        })
    }

    async fn get_token(
        tokens: Arc<Tokens>,
        rejected: Option<HeaderValue>,
    ) -> Outcome {
        tokens.get(rejected.as_ref()).await
    }

    #[test]
    fn one_refresh_for_all_though_callers_leave() {
        stress::rounds(|mut round| async move {
            let provider = Provider::new("works");
            let tokens = tokens(&provider, LONG, Duration::ZERO);
            let mut callers = JoinSet::new();
            for _ in 0..20 {
                let mut round = round.fork();
                let token = get_token(Arc::clone(&tokens), None);
                callers.spawn(async move {
                    sleep(round.duration(Duration::ZERO..3 * MS)).await;
                    if round.rng.bool() {
                        round.cancel(3 * MS, token).await
                    } else {
                        Some(token.await)
                    }
                });
            }
            sleep(round.duration(Duration::ZERO..5 * MS)).await;
            provider.gate.add_permits(1);
            for token in callers.join_all().await.into_iter().flatten() {
                assert_eq!(number(&token.expect("a token")), 1);
            }
            let again = tokens.get(None).await;
            assert_eq!(number(&again.expect("a token")), 1);
            assert_eq!(provider.requests(), 1);
        });
    }

    #[test]
    fn a_failure_is_shared_and_then_one_tries_again() {
        stress::rounds(|mut round| async move {
            let mode = round.choice(["fails", "panics", "silent"]);
            let timeout = if mode == "silent" { 20 * MS } else { LONG };
            let pause = round.choice([Duration::ZERO, LONG]);
            let provider = Provider::new(mode);
            let tokens = tokens(&provider, timeout, pause);
            let waiting = Arc::new(AtomicUsize::new(0));
            let mut callers = JoinSet::new();
            for _ in 0..20 {
                let token = get_token(Arc::clone(&tokens), None);
                let waiting = Arc::clone(&waiting);
                callers.spawn(async move {
                    let mut token = pin!(token);
                    match poll!(token.as_mut()) {
                        std::task::Poll::Ready(end) => end,
                        std::task::Poll::Pending => {
                            waiting.fetch_add(1, SeqCst);
                            token.await
                        }
                    }
                });
            }
            if mode != "silent" {
                while waiting.load(SeqCst) < 20 {
                    sleep(MS).await;
                }
                provider.gate.add_permits(1);
            }
            let mut errors = Vec::new();
            for token in callers.join_all().await {
                let error = token.expect_err("a failure");
                match mode {
                    "fails" => assert!(error.to_string().starts_with("503")),
                    "panics" => assert!(error.is::<JoinError>()),
                    _ => assert!(error.is::<Elapsed>()),
                }
                errors.push(error);
            }
            let requests = provider.requests();
            if mode != "silent" || pause == LONG {
                assert_eq!(requests, 1);
            }
            provider.set("works");
            provider.gate.add_permits(1);
            let again = tokens.get(None).await;
            if pause == LONG {
                let error = again.expect_err("the same");
                assert!(Arc::ptr_eq(&error, &errors[0]));
                assert_eq!(provider.requests(), 1);
            } else {
                assert_eq!(number(&again.expect("a token")), requests + 1);
            }
        });
    }

    /// Callers whose 401s come at different times, and some that have none.
    #[test]
    fn a_rejected_token_is_refreshed_once() {
        stress::rounds(|mut round| async move {
            let provider = Provider::new("works");
            provider.gate.add_permits(1);
            let tokens = tokens(&provider, LONG, Duration::ZERO);
            let old = tokens.get(None).await.expect("a token");
            let mut callers = JoinSet::new();
            for _ in 0..20 {
                let mut round = round.fork();
                let rejected = round.rng.bool().then(|| old.clone());
                let with_old = rejected.is_some();
                let token = get_token(Arc::clone(&tokens), rejected);
                callers.spawn(async move {
                    sleep(round.duration(Duration::ZERO..5 * MS)).await;
                    let token = if round.rng.bool() {
                        round.cancel(3 * MS, token).await
                    } else {
                        Some(token.await)
                    };
                    (with_old, token)
                });
            }
            sleep(round.duration(Duration::ZERO..5 * MS)).await;
            provider.gate.add_permits(1);
            for (with_old, token) in callers.join_all().await {
                let Some(token) = token else { continue };
                let number = number(&token.expect("a token"));
                assert!(number == 2 || number == 1 && !with_old);
            }
            let again = tokens.get(Some(&old)).await;
            assert_eq!(number(&again.expect("a token")), 2);
            assert_eq!(provider.requests(), 2);
        });
    }

    #[test]
    fn nothing_is_left_when_the_last_user_goes() {
        stress::rounds(|mut round| async move {
            let mode = round.choice(["works", "fails", "panics", "silent"]);
            let timeout = if mode == "silent" { 20 * MS } else { LONG };
            let provider = Provider::new(mode);
            let tokens = tokens(&provider, timeout, LONG);
            for _ in 0..5 {
                let token = get_token(Arc::clone(&tokens), None);
                _ = round.cancel(MS, token).await;
            }
            let weak = Arc::downgrade(&tokens);
            drop(tokens);
            provider.gate.add_permits(1);
            while weak.strong_count() > 0 {
                sleep(MS).await;
            }
            assert!(provider.requests() <= 1);
        });
    }

    /// On four threads over HTTP: the carrier accepts token 2 alone.
    #[test]
    fn ten_requests_that_are_refused_are_repeated() {
        stress::rounds(|_| async {
            let provider = Provider::new("works");
            provider.gate.add_permits(2);
            let tokens = tokens(&provider, LONG, Duration::ZERO);
            let parcel = async |headers: HeaderMap| match number(
                &headers[AUTHORIZATION],
            ) {
                2 => StatusCode::OK,
                _ => StatusCode::UNAUTHORIZED,
            };
            let router = Router::new().route("/parcels/7", get(parcel));
            let listener = TcpListener::bind("127.0.0.1:0").await;
            let listener = listener.expect("a port");
            let address = listener.local_addr().expect("an address");
            let mut server = JoinSet::new();
            server.spawn(async { axum::serve(listener, router).await });
            let client = stress::http_client().build();
            let client = client.expect("a client");
            let mut callers = JoinSet::new();
            for _ in 0..10 {
                let (client, tokens) = (client.clone(), Arc::clone(&tokens));
                callers.spawn(async move {
                    let url = format!("http://{address}/parcels/7");
                    track(&client, &tokens, &url).await
                });
            }
            for status in callers.join_all().await {
                status.expect("a status");
            }
            assert_eq!(provider.requests(), 2);
        });
    }
}
