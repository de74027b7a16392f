// ANCHOR: all
// ANCHOR: keep
use std::error::Error;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use reqwest::{Client, Response, header::RETRY_AFTER};
use tokio::time::Instant;

/// The limit of one attempt.
const ATTEMPT: Duration = Duration::from_secs(3);

/// A failed attempt, and the wait that the server asked for.
struct Failure(reqwest::Error, Duration);

impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Self {
        Failure(error, Duration::ZERO)
    }
}

// ANCHOR: transient
/// Whether the same GET request may succeed later.
fn is_transient(Failure(error, _): &Failure) -> bool {
    match error.status() {
        Some(status) => matches!(status.as_u16(), 408 | 429 | 500 | 502..=504),
        // No response, or only a part of it.
        None => error.is_request() || error.is_decode(),
    }
}
// ANCHOR_END: transient

/// `Retry-After` in seconds. A date counts as zero.
fn retry_after(response: &Response) -> Duration {
    let header = response.headers().get(RETRY_AFTER);
    let seconds = header.and_then(|value| value.to_str().ok()?.parse().ok());
    Duration::from_secs(seconds.unwrap_or(0))
}

// ANCHOR: track
/// The status of a parcel, or the last error before the deadline.
async fn track(
    client: &Client,
    url: &str,
    backoff: ExponentialBuilder,
    deadline: Instant,
) -> reqwest::Result<String> {
    let left = || deadline.saturating_duration_since(Instant::now());
    let attempt = async || {
        let timeout = left().min(ATTEMPT);
        let response = client.get(url).timeout(timeout).send().await?;
        let asked = retry_after(&response);
        match response.error_for_status() {
            Ok(response) => Ok(response.text().await?),
            Err(error) => Err(Failure(error, asked)),
        }
    };
    attempt
        .retry(backoff)
        .when(is_transient)
        .adjust(|Failure(_, asked), wait| {
            let wait = wait?.saturating_add(*asked);
            (wait < left()).then_some(wait) // no wait beyond the deadline
        })
        .notify(|Failure(error, _), wait| {
            let (status, cause) = (error.status(), error.source());
            tracing::warn!(?status, ?cause, ?wait, "retrying"); // no URL
        })
        .await
        .map_err(|Failure(error, _)| error)
}
// ANCHOR_END: track
// ANCHOR_END: keep

// A carrier that fails on purpose, and what must come of it.
use std::collections::HashMap;
use std::future::pending;
use std::io::{Read, Seek};
use std::sync::{Arc, Mutex};

use reqwest::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{advance, timeout};

// ANCHOR: handler
/// What your own handler answers when the carrier fails.
fn to_status(error: &reqwest::Error) -> StatusCode {
    match error.status().map(|status| status.as_u16()) {
        Some(404) => StatusCode::NOT_FOUND,
        Some(429 | 503) => StatusCode::SERVICE_UNAVAILABLE,
        None if error.is_timeout() => StatusCode::GATEWAY_TIMEOUT,
        _ => StatusCode::BAD_GATEWAY,
    }
}
// ANCHOR_END: handler

type Requests = Arc<Mutex<HashMap<String, usize>>>;

/// Answers `GET /case`; `earlier` requests asked for the same.
async fn answer(mut stream: TcpStream, case: &str, earlier: usize) {
    let response = match (case, earlier) {
        ("malformed", _) => "in transit\r\n\r\n",
        ("stalled", _) => "200 OK\r\ncontent-length: 10\r\n\r\nin tr",
        ("cut" | "reset" | "asked" | "5xx", 2) => {
            "200 OK\r\ncontent-length: 10\r\n\r\nin transit"
        }
        ("5xx", 0) => "500 E\r\ncontent-length: 0\r\n\r\n",
        ("5xx", _) => "504 T\r\ncontent-length: 0\r\n\r\n",
        ("down", 0) => "408 T\r\ncontent-length: 0\r\n\r\n",
        ("down", 1) => "502 B\r\ncontent-length: 0\r\n\r\n",
        ("down", _) => "503 U\r\ncontent-length: 0\r\n\r\n",
        ("cut", _) => "200 OK\r\ncontent-length: 10\r\n\r\nin tr",
        ("asked", _) => "429 T\r\nretry-after: 5\r\ncontent-length: 0\r\n\r\n",
        ("far", _) => {
            "429 T\r\nretry-after: 18446744073709551615\r\n\
             content-length: 0\r\n\r\n"
        }
        ("unknown", _) => "404 N\r\ncontent-length: 0\r\n\r\n",
        ("unsupported", _) => "505 V\r\ncontent-length: 0\r\n\r\n",
        ("reset", _) => return, // closes the connection
        _ => return pending().await,
    };
    let response = format!("HTTP/1.1 {response}");
    stream.write_all(response.as_bytes()).await.expect("a client");
    if case == "stalled" {
        pending().await
    }
}

async fn serve(listener: TcpListener, requests: Requests) {
    loop {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let requests = Arc::clone(&requests);
        tokio::spawn(async move {
            let mut head = vec![0; 1024];
            let length = stream.read(&mut head).await.expect("a request");
            let head = String::from_utf8_lossy(&head[..length]);
            let case = head.split(['/', ' ']).nth(2).expect("a path");
            let earlier = {
                let mut requests = requests.lock().expect("no panic");
                let count = requests.entry(case.to_owned()).or_default();
                *count += 1;
                *count - 1
            };
            answer(stream, case, earlier).await;
        });
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let mut log = tempfile::tempfile()?;
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(Arc::new(log.try_clone()?));
    let _subscriber = tracing::subscriber::set_default(subscriber.finish());
    let requests = Requests::default();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let carrier = format!("http://{}", listener.local_addr()?);
    tokio::spawn(serve(listener, Arc::clone(&requests)));
    // Each request has a connection of its own: the carrier closes them.
    let builder = Client::builder().no_proxy().pool_max_idle_per_host(0);
    let client = builder.build()?;
    // The port is taken, and nothing listens on it.
    let refusing = TcpSocket::new_v4()?;
    refusing.bind("127.0.0.1:0".parse()?)?;
    let refused = format!("http://{}", refusing.local_addr()?);

    // ANCHOR: call
    let backoff = ExponentialBuilder::new().with_max_times(2).with_jitter();
    let deadline = Instant::now() + Duration::from_secs(20);
    let url = format!("{carrier}/5xx");
    let status = track(&client, &url, backoff, deadline).await?;
    // ANCHOR_END: call
    assert_eq!(status, "in transit");

    // The case, its limit, and then: attempts, seconds, and the outcome.
    for (case, limit, attempts, seconds, outcome) in [
        ("5xx", 20.0, 3, 3.0..6.0, "in transit"),
        ("reset", 20.0, 3, 3.0..6.0, "in transit"),
        ("cut", 20.0, 3, 3.0..6.0, "in transit"),
        ("asked", 20.0, 3, 13.0..16.0, "in transit"),
        ("unknown", 20.0, 1, -1.0..0.1, "404 Not Found"),
        ("unsupported", 20.0, 1, -1.0..0.1, "502 Bad Gateway"),
        ("down", 20.0, 3, 3.0..6.0, "503 Service Unavailable"),
        ("malformed", 20.0, 3, 3.0..6.0, "502 Bad Gateway"),
        ("silent", 20.0, 3, 12.0..15.0, "504 Gateway Timeout"),
        ("stalled", 20.0, 3, 12.0..15.0, "504 Gateway Timeout"),
        ("refused", 20.0, 0, 3.0..6.0, "502 Bad Gateway"),
        ("invalid", 20.0, 0, -1.0..0.1, "502 Bad Gateway"),
        ("down", 0.9, 1, -1.0..0.1, "502 Bad Gateway"),
        ("asked", 5.0, 1, -1.0..0.1, "503 Service Unavailable"),
        ("far", 20.0, 1, -1.0..0.1, "503 Service Unavailable"),
        ("silent", 2.0, 1, 1.9..2.1, "504 Gateway Timeout"),
        ("silent", 0.0, 0, -1.0..0.1, "504 Gateway Timeout"),
    ] {
        requests.lock().expect("no panic").clear();
        let start = Instant::now();
        let deadline = start + Duration::from_secs_f64(limit);
        let (client, mut url) = (client.clone(), format!("{carrier}/{case}"));
        if case == "refused" {
            url.clone_from(&refused);
        } else if case == "invalid" {
            url.clear();
        }
        let result = tokio::spawn(async move {
            track(&client, &url, backoff, deadline).await
        });
        let result = result.await?.map_err(|error| to_status(&error));
        let actual = result.unwrap_or_else(|status| status.to_string());
        let elapsed = start.elapsed().as_secs_f64();
        let sent = requests.lock().expect("no panic").get(case).copied();
        let sent = sent.unwrap_or(0);
        println!("{case}, {limit} s: {actual}, requests: {sent}");
        assert_eq!((sent, actual.as_str()), (attempts, outcome));
        let (shortest, longest) = (seconds.start, seconds.end);
        assert!(shortest < elapsed && elapsed <= longest, "{elapsed}");
    }

    // Cancelled in the first wait: no attempt follows.
    requests.lock().expect("no panic").clear();
    let deadline = Instant::now() + Duration::from_secs(20);
    let url = format!("{carrier}/down");
    let tracked = track(&client, &url, backoff, deadline);
    assert!(timeout(Duration::from_millis(500), tracked).await.is_err());
    advance(Duration::from_secs(60)).await;
    assert_eq!(requests.lock().expect("no panic")["down"], 1);
    println!("cancelled: requests: 1");

    // The log names the status and the cause of each retry, and no URL.
    let mut text = String::new();
    log.rewind()?;
    log.read_to_string(&mut text)?;
    let says = |word| text.lines().any(|line| line.contains(word));
    assert!(says("retrying status=Some(408) cause=None wait="));
    assert!(says("retrying status=None cause=Some("));
    assert!(!text.contains("http://"));
    Ok(())
}
// ANCHOR_END: all
