//! A service whose carrier fails in every way, and whose clients leave: each
//! client that stays gets its response in time, and the server stays up.

include!("../../../../snippets/web/endpoints/endpoints.rs");

mod stress {
    use std::future::IntoFuture;
    use std::io;
    use std::time::Duration;

    use axum::{Router, routing::get};
    use reqwest::Client;
    use stress::{Round, SLACK};
    use tokio::net::TcpListener;
    use tokio::task::{JoinHandle, JoinSet};
    use tokio::time::{Instant, timeout};
    use tokio_util::sync::CancellationToken;
    use tokio_util::task::AbortOnDropHandle;

    use super::{BODY, CASES, GivenUp, Service, carry, parcel};

    const MS: Duration = Duration::from_millis(1);
    /// The limits of a request to the carrier: of silence, and of all.
    const READ: Duration = Duration::from_secs(2);
    const TOTAL: Duration = Duration::from_secs(4);

    struct Trial {
        url: String,
        closing: CancellationToken,
        server: JoinHandle<io::Result<()>>,
        _carrier: AbortOnDropHandle<()>,
    }

    impl Trial {
        async fn start() -> Self {
            let upstream = TcpListener::bind("127.0.0.1:0").await;
            let upstream = upstream.expect("a port");
            let carrier = upstream.local_addr().expect("an address");
            let carrying = tokio::spawn(carry(upstream, GivenUp::default()));
            let client = Client::builder().no_proxy().read_timeout(READ);
            let client = client.timeout(TOTAL).build().expect("a client");
            let carrier = format!("http://{carrier}");
            let app = Router::new()
                .route("/parcels/{id}", get(parcel))
                .with_state(Service { client, carrier });
            let listener = TcpListener::bind("127.0.0.1:0").await;
            let listener = listener.expect("a port");
            let address = listener.local_addr().expect("an address");
            let closing = CancellationToken::new();
            let server = axum::serve(listener, app)
                .with_graceful_shutdown(closing.clone().cancelled_owned());
            Trial {
                url: format!("http://{address}/parcels"),
                closing,
                server: tokio::spawn(server.into_future()),
                _carrier: AbortOnDropHandle::new(carrying),
            }
        }
    }

    async fn ask(
        client: &Client,
        url: String,
    ) -> reqwest::Result<(u16, String)> {
        let response = client.get(url).send().await?;
        Ok((response.status().as_u16(), response.text().await?))
    }

    /// Asks for parcels that fail, and gives up some of the requests.
    async fn client(url: String, mut round: Round, requests: usize) {
        let client = Client::builder().no_proxy().build().expect("a client");
        for _ in 0..requests {
            let id = round.rng.usize(..18);
            let (case, _, expected) = CASES[id];
            let start = Instant::now();
            let request = ask(&client, format!("{url}/{id}"));
            let answer = match round.rng.u32(..3) {
                0 => round.cancel(MS * 300, request).await,
                _ => Some(request.await),
            };
            let Some(answer) = answer else { continue };
            let (status, body) = answer.expect("a response");
            assert_eq!(status, expected, "{case}: {body}");
            assert!(start.elapsed() < TOTAL + SLACK, "{case}");
            assert_eq!(body == BODY, status == 200, "{case}: {body}");
            assert!(body.ends_with('}'), "{case}: {body}");
        }
    }

    #[test]
    fn each_client_gets_its_response() {
        stress::rounds(|mut round| async move {
            let trial = Trial::start().await;
            let mut clients = JoinSet::new();
            for _ in 0..12 {
                clients.spawn(client(trial.url.clone(), round.fork(), 2));
            }
            clients.join_all().await;
            let client = Client::builder().no_proxy().build();
            let client = client.expect("a client");
            let known = ask(&client, format!("{}/0", trial.url)).await;
            assert_eq!(known.expect("it stays up"), (200, BODY.to_owned()));
            trial.closing.cancel();
            let end = timeout(TOTAL + SLACK, trial.server).await;
            let end = end.expect("a handler is left").expect("no panic");
            end.expect("it ends");
        });
    }

    /// A client whose request was accepted gets its response, the others none.
    #[test]
    fn a_shutdown_answers_what_was_accepted() {
        stress::rounds(|mut round| async move {
            let trial = Trial::start().await;
            let mut clients = JoinSet::new();
            for _ in 0..3 {
                let (url, mut round) = (trial.url.clone(), round.fork());
                clients.spawn(async move {
                    let client = Client::builder().no_proxy().build();
                    let client = client.expect("a client");
                    loop {
                        // Two hundred rounds share the machine.
                        tokio::time::sleep(MS * 5).await;
                        let id = round.rng.usize(..2);
                        match ask(&client, format!("{url}/{id}")).await {
                            Ok(answer) => {
                                assert_eq!(answer, (200, BODY.to_owned()));
                            }
                            Err(error) => return error,
                        }
                    }
                });
            }
            tokio::time::sleep(round.duration(MS..MS * 400)).await;
            trial.closing.cancel();
            let end = timeout(TOTAL + SLACK, trial.server).await;
            let end = end.expect("a handler is left").expect("no panic");
            end.expect("it ends");
            for error in clients.join_all().await {
                assert!(!error.is_body() && !error.is_decode(), "{error:?}");
            }
        });
    }
}
