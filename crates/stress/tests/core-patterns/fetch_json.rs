//! `fetch_parcel` with several callers of one client: against a server that
//! fails in every way, that closes idle connections, and given up.

include!("../../../../snippets/core-patterns/fetch-json/fetch_json.rs");

mod stress {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    use std::time::Duration;

    use reqwest::Client;
    use stress::peer::{Peer, Reply};
    use stress::{Round, SLACK};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::task::JoinSet;
    use tokio::time::{Instant, sleep, timeout};
    use tokio_util::task::AbortOnDropHandle;

    use super::{FetchError, MAX_BODY, PARCEL, Retry, classify, fetch_parcel};

    const MS: Duration = Duration::from_millis(1);
    /// After it the server closes a connection that is idle.
    const IDLE: Duration = Duration::from_secs(1);

    /// The recipe's settings, with other values.
    fn client(read: Duration, total: Duration, idle: Duration) -> Client {
        let settings = super::settings().no_proxy().tls_certs_only([]);
        let settings = settings.read_timeout(read).timeout(total);
        settings.pool_idle_timeout(idle).build().expect("a client")
    }

    #[test]
    fn each_failure_is_told_and_ends_in_time() {
        stress::rounds(|mut round| async move {
            let (read, total) = (MS * 750, MS * 1_500);
            let client = client(read, total, IDLE / 4);
            let mut callers = JoinSet::new();
            for _ in 0..5 {
                let status = round.choice([404, 429, 500, 501, 503, 504, 505]);
                let time = round.duration(Duration::ZERO..MS * 3_000);
                let reply = round.choice([
                    Reply::Status(status),
                    Reply::Slow(time),
                    Reply::Silent,
                    Reply::Stalled,
                    Reply::Cut,
                    Reply::Reset,
                    Reply::HalfClosed,
                ]);
                let client = client.clone();
                callers.spawn(async move {
                    let peer = Peer::start(move |_| reply).await;
                    let start = Instant::now();
                    let got = fetch_parcel(&client, &peer.url, 7).await;
                    let elapsed = start.elapsed();
                    // The peer's body is text.
                    let error = got.expect_err("an error");
                    let about = format!("{reply:?}, {elapsed:?}: {error:?}");
                    assert!(elapsed < total + SLACK, "{about}");
                    assert_eq!(peer.requests(), 1, "{about}");
                    let timed_out = match &error {
                        FetchError::Request(error) => error.is_timeout(),
                        _ => false,
                    };
                    assert!(!timed_out || elapsed >= read, "{about}");
                    let expected = match reply {
                        Reply::Status(429 | 503) => Retry::Later(None),
                        Reply::Status(404 | 501 | 505) => Retry::Never,
                        Reply::Slow(_) if !timed_out => Retry::Never,
                        Reply::Silent | Reply::Stalled => {
                            assert!(timed_out, "{about}");
                            Retry::IfIdempotent
                        }
                        _ => Retry::IfIdempotent,
                    };
                    assert_eq!(classify(&error), expected, "{about}");
                });
            }
            callers.join_all().await;
        });
    }

    /// Answers each request with a parcel. A connection without a request for
    /// `IDLE` is closed, at some moment of the next 50 ms.
    async fn serve(mut stream: TcpStream, requests: Arc<AtomicUsize>) {
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{PARCEL}",
            PARCEL.len()
        );
        let mut head = [0; 1024];
        while let Ok(Ok(1..)) = timeout(IDLE, stream.read(&mut head)).await {
            requests.fetch_add(1, Relaxed);
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
        sleep(MS * 50).await;
    }

    struct Carrier {
        url: String,
        requests: Arc<AtomicUsize>,
        connections: Arc<AtomicUsize>,
        _server: AbortOnDropHandle<()>,
    }

    async fn carrier() -> Carrier {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let requests = Arc::new(AtomicUsize::new(0));
        let connections = Arc::new(AtomicUsize::new(0));
        let counts = (Arc::clone(&requests), Arc::clone(&connections));
        let server = tokio::spawn(async move {
            let (requests, connections) = counts;
            let mut serving = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Relaxed);
                serving.spawn(serve(stream, Arc::clone(&requests)));
            }
        });
        let _server = AbortOnDropHandle::new(server);
        let url = format!("http://{address}");
        Carrier { url, requests, connections, _server }
    }

    /// Several callers ask again and again, with pauses a little above `IDLE`:
    /// how many requests fail. With `IDLE * 10` in place of `IDLE / 4` some do.
    async fn failures(mut round: Round) -> usize {
        let carrier = Arc::new(carrier().await);
        let client = client(SLACK * 5, SLACK * 5, IDLE / 4);
        let mut callers = JoinSet::new();
        for _ in 0..4 {
            let (client, carrier) = (client.clone(), Arc::clone(&carrier));
            let mut round = round.fork();
            callers.spawn(async move {
                let mut failures = 0;
                for _ in 0..5 {
                    let got = fetch_parcel(&client, &carrier.url, 7).await;
                    failures += usize::from(got.is_err());
                    sleep(round.duration(IDLE..IDLE + MS * 50)).await;
                }
                failures
            });
        }
        let failures = callers.join_all().await.into_iter().sum();
        assert_eq!(carrier.requests.load(Relaxed) + failures, 20);
        failures
    }

    #[test]
    fn no_request_is_lost_on_a_connection_that_the_client_closes_first() {
        stress::rounds(|round| async move {
            assert_eq!(failures(round).await, 0);
        });
    }

    #[test]
    fn a_caller_that_gives_up_leaves_the_client_usable() {
        stress::rounds(|mut round| async move {
            let carrier = carrier().await;
            let client = client(SLACK * 5, SLACK * 5, IDLE / 4);
            for _ in 0..10 {
                let fetched = fetch_parcel(&client, &carrier.url, 7);
                round.cancel(MS * 5, fetched).await;
            }
            let parcel = fetch_parcel(&client, &carrier.url, 7).await;
            assert_eq!(parcel.expect("a parcel").id, 7);
            let connections = carrier.connections.load(Relaxed);
            assert!(connections <= 11, "{connections}");
        });
    }

    #[test]
    fn a_body_without_an_end_is_read_to_its_limit() {
        stress::rounds(|_| async {
            let listener = TcpListener::bind("127.0.0.1:0").await;
            let listener = listener.expect("a port");
            let address = listener.local_addr().expect("an address");
            let sent = tokio::spawn(async move {
                let (mut stream, _) =
                    listener.accept().await.expect("a client");
                let read = stream.read(&mut [0; 1024]).await;
                assert!(read.expect("a request") > 0);
                let head = b"HTTP/1.1 200 OK\r\n\r\n";
                stream.write_all(head).await.expect("a client");
                let mut sent = 0;
                while let Ok(()) = stream.write_all(&[b' '; 10_000]).await {
                    sent += 10_000;
                }
                sent
            });
            let client = client(SLACK * 5, SLACK * 10, IDLE);
            let url = format!("http://{address}");
            let got = fetch_parcel(&client, &url, 7).await;
            assert!(matches!(got, Err(FetchError::TooLong)), "{got:?}");
            // What is in the buffers of two sockets was sent, too.
            let sent = sent.await.expect("no panic");
            assert!(sent < MAX_BODY + 20_000_000, "{sent}");
        });
    }
}
