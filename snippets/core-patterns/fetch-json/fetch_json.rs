// ANCHOR: all
// ANCHOR: keep
use std::time::Duration;

use reqwest::{Client, ClientBuilder, Response, header::RETRY_AFTER};
use serde::Deserialize;

/// The longest body that is read, in bytes.
const MAX_BODY: usize = 1_000_000;

// ANCHOR: parcel
#[derive(Debug, PartialEq, Deserialize)]
struct Parcel {
    id: u64,
    city: String,
    delivered: bool,
}
// ANCHOR_END: parcel

// ANCHOR: settings
/// Build one client for the whole program: its clones share connections.
fn settings() -> ClientBuilder {
    Client::builder()
        .connect_timeout(Duration::from_secs(2))
        .read_timeout(Duration::from_secs(5))
        .timeout(Duration::from_secs(10))
        .pool_idle_timeout(Duration::from_secs(4)) // shorter than the server's
}
// ANCHOR_END: settings

// ANCHOR: errors
#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error("the carrier answered with an error")]
    Status(#[source] reqwest::Error, Option<Duration>),
    #[error("the request failed")]
    Request(#[from] reqwest::Error),
    #[error("the body has more than {MAX_BODY} bytes")]
    TooLong,
    #[error("the body is not a parcel")]
    Malformed(#[from] serde_json::Error),
}
// ANCHOR_END: errors

/// `Retry-After` in seconds. A date counts as `None`.
fn retry_after(response: &Response) -> Option<Duration> {
    let value = response.headers().get(RETRY_AFTER)?;
    let seconds: u64 = value.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

// ANCHOR: fetch
/// A parcel, by one GET request.
async fn fetch_parcel(
    client: &Client,
    carrier: &str,
    id: u64,
) -> Result<Parcel, FetchError> {
    let url = format!("{carrier}/parcels/{id}");
    let response = client.get(url).send().await;
    // The URL may hold a secret: it is not in the error.
    let response = response.map_err(reqwest::Error::without_url)?;
    let wait = retry_after(&response);
    let mut response = response
        .error_for_status()
        .map_err(|error| FetchError::Status(error.without_url(), wait))?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_BODY {
            return Err(FetchError::TooLong);
        }
    }
    Ok(serde_json::from_slice(&body)?)
}
// ANCHOR_END: fetch
// ANCHOR_END: keep

// ANCHOR: retry
/// When the same request may be sent again.
#[derive(Debug, PartialEq)]
enum Retry {
    /// The server, or the last one of a redirect, did not get it. Retry a few
    /// times, then report it: the address may be wrong.
    NotSent,
    /// The server may have done it: only if the request is idempotent.
    IfIdempotent,
    /// As `IfIdempotent`, but after the time that the server asks for.
    Later(Option<Duration>),
    /// It would fail again.
    Never,
}

fn classify(error: &FetchError) -> Retry {
    match error {
        FetchError::Status(error, wait) => {
            match error.status().map(|status| status.as_u16()) {
                Some(429 | 503) => Retry::Later(*wait),
                Some(408 | 500 | 502 | 504) => Retry::IfIdempotent,
                _ => Retry::Never,
            }
        }
        FetchError::Request(error) if error.is_connect() => Retry::NotSent,
        FetchError::Request(error) if error.is_builder() => Retry::Never,
        FetchError::Request(error) if error.is_redirect() => Retry::Never,
        FetchError::Request(_) => Retry::IfIdempotent,
        FetchError::TooLong | FetchError::Malformed(_) => Retry::Never,
    }
}
// ANCHOR_END: retry

// A carrier that fails on purpose, and what must come of it.
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use reqwest::dns::{Name, Resolve, Resolving};
use reqwest::{Method, Url};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{Instant, sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);
const PARCEL: &str = r#"{"id":7,"city":"Bergen","delivered":false}"#;

/// How many clients have closed their connection to a silent carrier.
static LEFT: AtomicUsize = AtomicUsize::new(0);
/// How many kept connections the client has closed.
static CLOSED: AtomicUsize = AtomicUsize::new(0);

/// A name server that does not answer.
struct SilentDns;

impl Resolve for SilentDns {
    fn resolve(&self, _: Name) -> Resolving {
        Box::pin(pending())
    }
}

/// A body, or a status without one.
fn response(case: &str) -> String {
    let body = match case {
        "unknown field" => PARCEL.replace("id", r#"eta":"today","id"#),
        "missing field" => PARCEL.replace(r#","delivered":false"#, ""),
        "other type" => PARCEL.replace('7', r#""7""#),
        "malformed" => "<h1>Welcome</h1>".to_owned(),
        "longest" => " ".repeat(1_000_000 - PARCEL.len()) + PARCEL,
        "too long" => " ".repeat(1_000_001 - PARCEL.len()) + PARCEL,
        "ok" | "cut" | "stalled" | "trickling" => PARCEL.to_owned(),
        "redirected" => return "302 Found\r\nlocation: /redirected/".into(),
        "429" => return "429 Too Many Requests\r\nretry-after: 7".into(),
        status => return format!("{status} Error\r\nretry-after: tomorrow"),
    };
    format!("200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

/// Answers `GET /case/parcels/7`, and closes an idle connection after 5 s.
async fn serve(mut stream: TcpStream) -> std::io::Result<()> {
    loop {
        let mut head = [0; 1024];
        let read = timeout(5 * SECOND, stream.read(&mut head)).await;
        let Ok(length) = read else {
            // The client learns of the end a little later.
            sleep(SECOND / 100).await;
            return Ok(());
        };
        let head = String::from_utf8_lossy(&head[..length?]).into_owned();
        let Some(case) = head.split('/').nth(1) else {
            CLOSED.fetch_add(1, Relaxed);
            return Ok(());
        };
        let case = case.replace('_', " ");
        let mut answer = format!("HTTP/1.1 {}", response(&case));
        if !answer.contains("content-length") {
            answer += "\r\ncontent-length: 0\r\n\r\n";
        }
        let (start, end) = answer.split_at(answer.len() - PARCEL.len() / 2);
        match case.as_str() {
            "reset" => return stream.set_zero_linger(),
            "silent" => {
                let _ = stream.read_u8().await; // until the client closes
                LEFT.fetch_add(1, Relaxed);
                return Ok(());
            }
            "cut" => return stream.write_all(start.as_bytes()).await,
            "stalled" => {
                stream.write_all(start.as_bytes()).await?;
                return pending().await;
            }
            "trickling" => {
                stream.write_all(start.as_bytes()).await?;
                for byte in end.as_bytes() {
                    sleep(SECOND).await;
                    stream.write_all(&[*byte]).await?;
                }
            }
            "endless" => {
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
                while stream.write_all(&[b' '; 1000]).await.is_ok() {}
                return Ok(());
            }
            _ => stream.write_all(answer.as_bytes()).await?,
        }
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let url = format!("http://{address}");
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            tokio::spawn(serve(stream));
        }
    });
    // The port is taken, and nothing listens on it.
    let refusing = TcpSocket::new_v4()?;
    refusing.bind("127.0.0.1:0".parse()?)?;
    // The kernel accepts the connection, and nothing answers.
    let deaf = TcpListener::bind("127.0.0.1:0").await?;

    let carrier = format!("{url}/ok");
    // ANCHOR: call
    // Only this example needs `no_proxy`: its carrier is on this machine.
    let client = settings().no_proxy().build()?;
    let parcel = fetch_parcel(&client, &carrier, 7).await?;
    // ANCHOR_END: call
    let expected = Parcel { id: 7, city: "Bergen".into(), delivered: false };
    assert_eq!(parcel, expected);
    println!("parcel {} is in {}", parcel.id, parcel.city);

    for case in ["unknown_field", "longest"] {
        let carrier = format!("{url}/{case}");
        assert_eq!(fetch_parcel(&client, &carrier, 7).await?, expected);
        println!("{}: a parcel", case.replace('_', " "));
    }

    // The case, after how many seconds it fails, and what may be done then.
    let asked = Some(7 * SECOND);
    for (case, seconds, expected) in [
        ("404", 0, Retry::Never),
        ("429", 0, Retry::Later(asked)),
        ("503", 0, Retry::Later(None)),
        ("408", 0, Retry::IfIdempotent),
        ("500", 0, Retry::IfIdempotent),
        ("502", 0, Retry::IfIdempotent),
        ("504", 0, Retry::IfIdempotent),
        ("501", 0, Retry::Never),
        ("505", 0, Retry::Never),
        ("redirected", 0, Retry::Never),
        ("invalid URL", 0, Retry::Never),
        ("refused", 0, Retry::NotSent),
        ("no DNS answer", 2, Retry::NotSent),
        ("no TLS answer", 2, Retry::NotSent),
        ("unknown host", 0, Retry::NotSent),
        ("wrong TLS port", 0, Retry::NotSent),
        ("reset", 0, Retry::IfIdempotent),
        ("cut", 0, Retry::IfIdempotent),
        ("silent", 5, Retry::IfIdempotent),
        ("stalled", 5, Retry::IfIdempotent),
        ("trickling", 10, Retry::IfIdempotent),
        ("malformed", 0, Retry::Never),
        ("missing field", 0, Retry::Never),
        ("other type", 0, Retry::Never),
        ("too long", 0, Retry::Never),
        ("endless", 0, Retry::Never),
    ] {
        let carrier = match case {
            "invalid URL" => "/".to_owned(),
            "refused" => format!("http://{}", refusing.local_addr()?),
            "no TLS answer" => format!("https://{}", deaf.local_addr()?),
            "no DNS answer" => "http://carrier.invalid".to_owned(),
            "unknown host" => "http://carrier..invalid".to_owned(),
            "wrong TLS port" => format!("https://{address}"),
            _ => format!("{url}/{}", case.replace(' ', "_")),
        };
        let start = Instant::now();
        let client = match case {
            "no DNS answer" => {
                let settings = settings().no_proxy();
                settings.dns_resolver(Arc::new(SilentDns)).build()?
            }
            _ => client.clone(),
        };
        let fetched = async move { fetch_parcel(&client, &carrier, 7).await };
        let error = tokio::spawn(fetched).await?.expect_err("a failure");
        let after = start.elapsed().as_secs();
        println!("{case}, {after} s: {:?}", classify(&error));
        assert_eq!((after, classify(&error)), (seconds, expected), "{error:?}");
        assert!(!format!("{error:?}").contains("/parcels"), "{error:?}");
        let FetchError::Request(error) = error else { continue };
        assert_eq!(error.is_dns(), case == "unknown host");
        let in_body = ["cut", "stalled", "trickling"].contains(&case);
        assert_eq!(error.is_decode(), in_body);
    }

    let carrier_503 = format!("{url}/503");
    let error = fetch_parcel(&client, &carrier_503, 7).await;
    let error = anyhow::Error::from(error.expect_err("503"));
    println!("Display of a 503: {error}");
    println!("with its source: {error:#}");
    assert_eq!(error.to_string(), "the carrier answered with an error");
    let status = "HTTP status server error (503 Error)";
    assert_eq!(format!("{error:#}"), format!("{error}: {status}"));

    // The time to connect counts for `read_timeout`.
    let builder = Client::builder().no_proxy().read_timeout(SECOND);
    let deaf = format!("https://{}", deaf.local_addr()?);
    let start = Instant::now();
    let error = builder.build()?.get(deaf).send().await;
    assert!(error.expect_err("a timeout").is_timeout());
    assert_eq!(start.elapsed().as_secs(), 1);

    // An id that is a string is escaped, and a POST has a header.
    let mut parcel = Url::parse(&format!("{url}/parcels"))?;
    let mut segments = parcel.path_segments_mut().expect("http has a path");
    segments.push("7/a?b");
    drop(segments);
    assert!(parcel.as_str().ends_with("/parcels/7%2Fa%3Fb"));
    let post = client.post(parcel).header("idempotency-key", "7").body("{}");
    let post = post.build()?;
    assert_eq!(post.method(), Method::POST);
    assert_eq!(post.headers()["idempotency-key"], "7");

    // `json` reports a malformed body in the same way as one that is cut.
    let malformed = client.get(format!("{url}/malformed/")).send().await?;
    let error = malformed.json::<Parcel>().await.expect_err("no JSON");
    assert!(error.is_decode());

    // One caller has left a silent carrier, and now a cancelled one does.
    let silent = format!("{url}/silent");
    let cancelled = timeout(SECOND, fetch_parcel(&client, &silent, 7)).await;
    assert!(cancelled.is_err());
    sleep(SECOND / 100).await;
    assert_eq!(LEFT.load(Relaxed), 2);
    println!("cancelled: the connection is closed");

    // It is not used again when the carrier may be closing it.
    for _ in 0..10 {
        fetch_parcel(&client, &carrier, 7).await?;
        sleep(5 * SECOND + SECOND / 200).await;
    }
    println!("every 5 s: 10 parcels, each by a new connection");

    fetch_parcel(&client, &carrier, 7).await?;
    CLOSED.store(0, Relaxed);
    drop(client);
    sleep(SECOND / 100).await;
    assert_eq!(CLOSED.load(Relaxed), 1);
    println!("dropped: the client has closed its connection");
    Ok(())
}
// ANCHOR_END: all
