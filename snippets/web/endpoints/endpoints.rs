// ANCHOR: all
// ANCHOR: keep
use anyhow::{Result, ensure};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use reqwest::{Client, RequestBuilder};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::json;

// ANCHOR: error
/// What the client gets. The cause is for the log.
struct ApiError(StatusCode, String, anyhow::Error);

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let ApiError(status, detail, cause) = self;
        if status.is_server_error() {
            tracing::error!(%status, "{detail}: {cause:#}");
        }
        (status, Json(json!({ "detail": detail }))).into_response()
    }
}
// ANCHOR_END: error

// ANCHOR: upstream
/// The service behind this one has failed, not the client.
fn failed(cause: anyhow::Error) -> ApiError {
    let status = match cause.downcast_ref() {
        Some(error) if reqwest::Error::is_timeout(error) => {
            StatusCode::GATEWAY_TIMEOUT
        }
        _ => StatusCode::BAD_GATEWAY,
    };
    ApiError(status, "the carrier has failed".into(), cause)
}
// ANCHOR_END: upstream

#[derive(Clone)]
struct Service {
    client: Client,
    carrier: String,
}

#[derive(Serialize, Deserialize)]
struct Parcel {
    city: String,
    status: String,
}

// ANCHOR: fetch
/// The JSON of a response, if it is not too long.
async fn fetch<T: DeserializeOwned>(request: RequestBuilder) -> Result<T> {
    let mut response = request.send().await?.error_for_status()?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        ensure!(body.len() <= 64 * 1024, "the response is too long");
    }
    Ok(serde_json::from_slice(&body)?)
}
// ANCHOR_END: fetch

// ANCHOR: handler
async fn parcel(
    State(service): State<Service>,
    Path(id): Path<u32>,
) -> Result<Json<Parcel>, ApiError> {
    let url = format!("{}/parcels/{id}", service.carrier);
    let parcel = fetch(service.client.get(url)).await.map_err(|error| {
        let status = error.downcast_ref().and_then(reqwest::Error::status);
        if status == Some(StatusCode::NOT_FOUND) {
            let detail = "no such parcel".into();
            return ApiError(StatusCode::NOT_FOUND, detail, error);
        }
        failed(error)
    })?;
    Ok(Json(parcel))
}
// ANCHOR_END: handler
// ANCHOR_END: keep

// A carrier that fails on purpose, and what must come of it.
use std::future::{IntoFuture, pending};
use std::io::{Read, Seek};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context;
use axum::{Router, body::to_bytes, routing::get};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

const SECOND: Duration = Duration::from_secs(1);
const BODY: &str = r#"{"city":"Ghent","status":"in transit"}"#;

/// The carrier's parcels, by number: how it answers, what the client gets, and
/// after how many seconds.
const CASES: [(&str, f64, u16); 20] = [
    ("known", 0.0, 200),
    ("in pieces", 0.5, 200),
    ("unknown", 0.0, 404),
    ("unauthorized", 0.0, 502),
    ("overloaded", 0.0, 502),
    ("failing", 0.0, 502),
    ("malformed", 0.0, 502),
    ("HTML", 0.0, 502),
    ("another object", 0.0, 502),
    ("not gzip", 0.0, 502),
    ("too long", 0.0, 502),
    ("cut", 0.0, 502),
    ("half-closed", 0.0, 502),
    ("closed", 0.0, 502),
    ("reset", 0.0, 502),
    ("silent", 2.0, 504),
    ("stalled", 2.0, 504),
    ("drips", 3.0, 504),
    ("refused", 0.0, 502),
    ("unreachable", 1.0, 504),
];

/// When the carrier has seen that a silent request was given up.
type GivenUp = Arc<Mutex<Option<Instant>>>;

fn response(status: &str, body: &str) -> String {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}");
    format!("{head}\r\nconnection: close\r\n\r\n{body}")
}

async fn answer(
    mut stream: TcpStream,
    case: &str,
    given_up: GivenUp,
) -> Result<()> {
    let long = format!("{:65000}{BODY}{:1000}", "", "");
    let known = response("200 OK", BODY);
    let (first, second) = known.split_at(known.len() - 10);
    let response = match case {
        "unknown" => response("404 N", BODY),
        "unauthorized" => response("401 U", BODY),
        "overloaded" => response("429 T", BODY),
        "failing" => response("503 S", BODY),
        "malformed" => format!("{BODY}\r\n\r\n"),
        "HTML" => response("200 OK", "<h1>Ghent</h1>"),
        "another object" => response("200 OK", r#"{"city":"Ghent"}"#),
        "not gzip" => response("200 OK\r\ncontent-encoding: gzip", "gzip"),
        "too long" => response("200 OK", &long),
        "in pieces" | "cut" | "half-closed" | "stalled" | "drips" => {
            first.into()
        }
        "closed" | "silent" => String::new(),
        "reset" => return Ok(stream.set_zero_linger()?),
        _ => known.clone(),
    };
    stream.write_all(response.as_bytes()).await?;
    match case {
        "in pieces" => {
            sleep(SECOND / 2).await;
            stream.write_all(second.as_bytes()).await?;
        }
        "half-closed" => stream.shutdown().await?,
        "cut" | "closed" => return Ok(()),
        "drips" => loop {
            sleep(SECOND * 9 / 10).await;
            stream.write_all(b" ").await?;
        },
        "silent" => {
            let length = stream.read(&mut [0]).await?;
            ensure!(length == 0, "another request");
            *given_up.lock().expect("no panic") = Some(Instant::now());
        }
        _ => {}
    }
    pending().await
}

async fn carry(listener: TcpListener, given_up: GivenUp) {
    loop {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let given_up = Arc::clone(&given_up);
        tokio::spawn(async move {
            let mut head = vec![0; 1024];
            let length = stream.read(&mut head).await?;
            let head = String::from_utf8_lossy(&head[..length]);
            let id = head.split(['/', ' ']).nth(3).context("no request")?;
            let (case, ..) = CASES[id.parse::<usize>()?];
            answer(stream, case, given_up).await
        });
    }
}

/// An address that is taken, and on which nothing listens.
fn refused() -> Result<(TcpSocket, String)> {
    let socket = TcpSocket::new_v4()?;
    socket.bind("127.0.0.1:0".parse()?)?;
    let url = format!("http://{}", socket.local_addr()?);
    Ok((socket, url))
}

/// An address on which connections are not accepted; one more has to wait.
async fn unreachable() -> Result<(TcpListener, Vec<TcpStream>, String)> {
    let socket = TcpSocket::new_v4()?;
    socket.bind("127.0.0.1:0".parse()?)?;
    let listener = socket.listen(1)?;
    let (address, mut waiting) = (listener.local_addr()?, Vec::new());
    while let Ok(conn) = timeout(SECOND, TcpStream::connect(address)).await {
        waiting.push(conn?);
    }
    Ok((listener, waiting, format!("http://{address}")))
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<()> {
    let mut logged = tempfile::tempfile()?;
    let log = Arc::new(logged.try_clone()?);
    let (given_up, upstream) =
        (GivenUp::default(), TcpListener::bind("127.0.0.1:0").await?);
    let carrier = format!("http://{}", upstream.local_addr()?);
    tokio::spawn(carry(upstream, Arc::clone(&given_up)));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let url = format!("http://{address}/parcels");
    let closing = CancellationToken::new();
    let shutdown = closing.clone();

    // ANCHOR: call
    tracing_subscriber::fmt().with_writer(log).init();
    let client = Client::builder()
        .connect_timeout(Duration::from_secs(1))
        .read_timeout(Duration::from_secs(2))
        .timeout(Duration::from_secs(3))
        .build()?;
    let service = Service { client, carrier };
    let app = Router::new()
        .route("/parcels/{id}", get(parcel))
        .with_state(service.clone());
    let server = axum::serve(listener, app)
        .with_graceful_shutdown(closing.cancelled_owned());
    // ANCHOR_END: call
    let server = tokio::spawn(server.into_future());

    let client = Client::builder().no_proxy().build()?;
    let (_refused, refused) = refused()?;
    let (_listener, _waiting, unreachable) = unreachable().await?;
    for (id, (case, seconds, status)) in CASES.into_iter().enumerate() {
        let start = Instant::now();
        let (actual, body) = if id < 18 {
            let response = client.get(format!("{url}/{id}")).send().await?;
            (response.status(), response.bytes().await?)
        } else {
            let mut service = service.clone();
            service.carrier.clone_from(match case {
                "refused" => &refused,
                _ => &unreachable,
            });
            let response = parcel(State(service), Path(7)).await;
            let response = response.into_response();
            let status = response.status();
            (status, to_bytes(response.into_body(), 1000).await?)
        };
        let elapsed = start.elapsed().as_secs_f64();
        let body = String::from_utf8_lossy(&body);
        println!("{case}: {} {body}", actual.as_u16());
        assert_eq!(actual, status, "{case}");
        assert!((elapsed - seconds).abs() < 0.1, "{case}: {elapsed}");
        // All of the body: there is nothing of the carrier's in it.
        let expected = match status {
            200 => BODY,
            404 => r#"{"detail":"no such parcel"}"#,
            _ => r#"{"detail":"the carrier has failed"}"#,
        };
        assert_eq!(body, expected);
    }

    // A client leaves: its handler is dropped, and with it the request to the
    // carrier.
    let start = Instant::now();
    let mut leaving = TcpStream::connect(address).await?;
    let request = "GET /parcels/15 HTTP/1.1\r\nhost: a\r\n\r\n";
    leaving.write_all(request.as_bytes()).await?;
    sleep(SECOND / 2).await;
    drop(leaving);
    sleep(SECOND / 10).await;
    let at = given_up.lock().expect("no panic").expect("it was silent");
    let after = (at - start).as_millis();
    println!("the client leaves after 500 ms, its handler after {after} ms");
    assert_eq!(after, 500);

    // Open requests are answered, and new ones are not accepted.
    let open = tokio::spawn(client.get(format!("{url}/1")).send());
    sleep(SECOND / 10).await;
    shutdown.cancel();
    server.await??;
    let status = open.await??.status();
    println!("shutdown: {}", status.as_u16());
    assert_eq!(status, 200);
    assert!(TcpStream::connect(address).await.is_err());

    // The log has the causes. A client that asks for an unknown parcel is not
    // in it.
    let mut text = String::new();
    logged.rewind()?;
    logged.read_to_string(&mut text)?;
    let says = |word| text.lines().any(|line| line.contains(word));
    assert_eq!(text.lines().count(), 17, "{text}");
    assert!(says("the carrier has failed: error sending request for url"));
    assert!(says("tcp connect error: Connection refused"));
    assert!(says("the response is too long") && says("502 Bad Gateway"));
    assert!(!says("no such parcel"));
    Ok(())
}
// ANCHOR_END: all
