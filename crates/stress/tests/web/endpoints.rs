//! A service whose carrier fails in every way, and whose clients leave: each
//! client that stays gets its response in time, and the server stays up.

include!("../../../../snippets/web/endpoints/endpoints.rs");

mod stress {
    use std::future::IntoFuture;
    use std::io;
    use std::net::SocketAddr;
    use std::panic::resume_unwind;
    use std::time::Duration;

    use axum::{Router, routing::get};
    use reqwest::Client;
    use stress::{Round, SLACK};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::task::{JoinHandle, JoinSet};
    use tokio::time::{Instant, sleep, timeout};
    use tokio_util::sync::CancellationToken;
    use tokio_util::task::AbortOnDropHandle;

    use super::{
        BODY, CASES, GivenUp, SHUTDOWN, Service, app, carry, parcel, serve,
    };

    const MS: Duration = Duration::from_millis(1);
    /// The limits of a request to the carrier: of silence, and of all.
    const READ: Duration = Duration::from_secs(2);
    const TOTAL: Duration = Duration::from_secs(4);

    /// A carrier, and a service that asks it.
    async fn carrier() -> (Service, AbortOnDropHandle<()>) {
        let upstream = TcpListener::bind("127.0.0.1:0").await;
        let upstream = upstream.expect("a port");
        let carrier = upstream.local_addr().expect("an address");
        let carrying = tokio::spawn(carry(upstream, GivenUp::default()));
        let client = stress::http_client().read_timeout(READ);
        let client = client.timeout(TOTAL).build().expect("a client");
        let carrier = format!("http://{carrier}");
        (Service { client, carrier }, AbortOnDropHandle::new(carrying))
    }

    struct Trial {
        address: SocketAddr,
        url: String,
        closing: CancellationToken,
        server: JoinHandle<io::Result<()>>,
        _carrier: AbortOnDropHandle<()>,
    }

    impl Trial {
        async fn start() -> Self {
            let (service, _carrier) = carrier().await;
            // As a panic, without its message.
            let panics =
                async || -> &'static str { resume_unwind(Box::new(7)) };
            let routes = Router::new()
                .route("/parcels/{id}", get(parcel))
                .route("/panics", get(panics))
                .with_state(service);
            let listener = TcpListener::bind("127.0.0.1:0").await;
            let listener = listener.expect("a port");
            let address = listener.local_addr().expect("an address");
            let closing = CancellationToken::new();
            let server = axum::serve(listener, app(routes))
                .with_graceful_shutdown(closing.clone().cancelled_owned());
            Trial {
                address,
                url: format!("http://{address}"),
                closing,
                server: tokio::spawn(server.into_future()),
                _carrier,
            }
        }

        async fn end(self) {
            self.closing.cancel();
            let end = timeout(TOTAL + SLACK, self.server).await;
            let end = end.expect("a handler is left").expect("no panic");
            end.expect("it ends");
        }
    }

    /// A client with connections of its own.
    fn http_client() -> Client {
        stress::http_client().build().expect("a client")
    }

    async fn ask(
        client: &Client,
        url: String,
    ) -> reqwest::Result<(u16, String)> {
        let response = client.get(url).send().await?;
        Ok((response.status().as_u16(), response.text().await?))
    }

    /// A busy machine may take longer than a request to the carrier may: then
    /// the answer is 504, and another one is asked for.
    async fn is_up(url: &str) {
        let (mut status, mut body) = (504, String::new());
        while status == 504 {
            let known = ask(&http_client(), format!("{url}/parcels/0")).await;
            (status, body) = known.expect("it stays up");
        }
        assert_eq!((status, &body[..]), (200, BODY));
    }

    /// Asks for a parcel that fails, and may give up.
    async fn client(url: String, mut round: Round) {
        let client = http_client();
        let id = round.rng.usize(..18);
        let (case, _, expected) = CASES[id];
        let start = Instant::now();
        let request = ask(&client, format!("{url}/parcels/{id}"));
        let answer = match round.rng.u32(..3) {
            0 => round.cancel(MS * 300, request).await,
            _ => Some(request.await),
        };
        let Some(answer) = answer else { return };
        let (status, body) = answer.expect("a response");
        assert_eq!(status, expected, "{case}: {body}");
        assert!(start.elapsed() < TOTAL + SLACK, "{case}");
        assert_eq!(body == BODY, status == 200, "{case}: {body}");
        assert!(body.ends_with('}'), "{case}: {body}");
    }

    /// A client that does not keep to HTTP, or to its connection.
    async fn rough(address: SocketAddr, mut round: Round) {
        let stream = TcpStream::connect(address).await;
        let mut stream = stream.expect("it accepts");
        let request = "GET /parcels/0 HTTP/1.1\r\nhost: a\r\n";
        let text = match round.rng.u32(..6) {
            0 => format!("{request}\r\n"), // leaves
            1 => request.to_owned(),       // leaves in the head
            2 => format!("{request}content-length: 9\r\n\r\nhalf"),
            3 => format!("{BODY}\r\n\r\n"),
            4 => format!("{request}\r\n").repeat(200), // reads none of them
            _ => {
                let half_closes = format!("{request}\r\n");
                stream.write_all(half_closes.as_bytes()).await.expect("sent");
                stream.shutdown().await.expect("half closed");
                let mut bytes = Vec::new();
                let end = stream.read_to_end(&mut bytes);
                let end = timeout(TOTAL + SLACK, end).await;
                // It has the response or none, and an end.
                _ = end.expect("the server closes the connection");
                return;
            }
        };
        // The server may have closed the connection.
        _ = stream.write_all(text.as_bytes()).await;
        sleep(round.duration(MS..MS * 300)).await;
    }

    #[test]
    fn each_client_gets_its_response() {
        stress::rounds(|mut round| async move {
            let trial = Trial::start().await;
            let mut clients = JoinSet::new();
            for _ in 0..18 {
                clients.spawn(client(trial.url.clone(), round.fork()));
            }
            clients.join_all().await;
            is_up(&trial.url).await;
            trial.end().await;
        });
    }

    #[test]
    fn rough_clients_and_panics_harm_no_other_client() {
        stress::rounds(|mut round| async move {
            let trial = Trial::start().await;
            let mut clients = JoinSet::new();
            for _ in 0..8 {
                clients.spawn(rough(trial.address, round.fork()));
                let url = trial.url.clone();
                clients.spawn(async move {
                    let client = http_client();
                    let panics = format!("{url}/panics");
                    for _ in 0..3 {
                        let answer = ask(&client, panics.clone()).await;
                        let (status, body) = answer.expect("a response");
                        let text = r#"{"detail":"Internal Server Error"}"#;
                        assert_eq!((status, &body[..]), (500, text));
                        is_up(&url).await;
                    }
                });
            }
            clients.join_all().await;
            trial.end().await;
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
                    let client = http_client();
                    loop {
                        // Two hundred rounds share the machine.
                        sleep(MS * 5).await;
                        let id = round.rng.usize(..2);
                        let request =
                            ask(&client, format!("{url}/parcels/{id}"));
                        match request.await {
                            Ok(answer) => {
                                assert_eq!(answer, (200, BODY.to_owned()));
                            }
                            Err(error) => return error,
                        }
                    }
                });
            }
            sleep(round.duration(MS..MS * 400)).await;
            trial.end().await;
            for error in clients.join_all().await {
                assert!(!error.is_body() && !error.is_decode(), "{error:?}");
            }
        });
    }

    /// `serve` itself, with its log, in a process of its own: it answers what
    /// it has accepted, and rough clients do not hold it up.
    #[test]
    fn serve_ends_in_time() {
        stress::processes(|mut round| async move {
            let (service, _carrier) = carrier().await;
            let listener = TcpListener::bind("127.0.0.1:0").await;
            let listener = listener.expect("a port");
            let address = listener.local_addr().expect("an address");
            let closing = CancellationToken::new();
            let server =
                tokio::spawn(serve(listener, service, closing.clone()));
            let url = format!("http://{address}");
            is_up(&url).await;
            let mut clients = JoinSet::new();
            for _ in 0..8 {
                clients.spawn(rough(address, round.fork()));
            }
            let slow = format!("{url}/parcels/15"); // the carrier is silent
            let slow = tokio::spawn(async move {
                ask(&http_client(), slow).await.expect("a response").0
            });
            sleep(MS * 1_000).await; // it has arrived, and waits for 2 s
            closing.cancel();
            let start = Instant::now();
            server.await.expect("no panic").expect("it ends");
            // Not by its limit.
            assert!(start.elapsed() < SHUTDOWN.min(READ + SLACK));
            assert_eq!(slow.await.expect("no panic"), 504);
            clients.join_all().await;
        });
    }
}
