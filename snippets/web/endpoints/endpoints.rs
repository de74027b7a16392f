// ANCHOR: all
// ANCHOR: keep
use anyhow::{Result, ensure};
use axum::response::{IntoResponse, Json, Response};
use axum::{extract::Path, extract::State, http::StatusCode};
use reqwest::{Client, RequestBuilder};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

// ANCHOR: error
/// What the client gets. The cause is for the log.
struct ApiError(StatusCode, String, anyhow::Error);

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let ApiError(status, detail, cause) = self;
        if status.is_server_error() {
            tracing::error!(%status, "{detail}: {cause:#}");
        }
        (status, Json(serde_json::json!({ "detail": detail }))).into_response()
    }
}
// ANCHOR_END: error

// ANCHOR: upstream
/// The status that the carrier answered with, if it is an error.
fn status_of(cause: &anyhow::Error) -> Option<StatusCode> {
    cause.downcast_ref::<reqwest::Error>()?.status()
}

/// The carrier has failed, not the client.
fn failed(cause: anyhow::Error) -> ApiError {
    let status = match cause.downcast_ref::<reqwest::Error>() {
        Some(error) if error.is_timeout() => StatusCode::GATEWAY_TIMEOUT,
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
    let sent = request.send().await.and_then(|sent| sent.error_for_status());
    let mut response = sent.map_err(|error| error.without_url())?;
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
    match fetch(service.client.get(url)).await {
        Ok(parcel) => Ok(Json(parcel)),
        Err(cause) if status_of(&cause) == Some(StatusCode::NOT_FOUND) => {
            Err(ApiError(StatusCode::NOT_FOUND, "no such parcel".into(), cause))
        }
        Err(cause) => Err(failed(cause)),
    }
}
// ANCHOR_END: handler
// ANCHOR_END: keep

// ANCHOR: call
use std::{any::Any, time::Duration};

use axum::{Router, extract::DefaultBodyLimit, routing::get};
use tokio::{net::TcpListener, time::sleep};
use tokio_util::sync::CancellationToken;
use tower_http::{catch_panic::CatchPanicLayer, timeout::TimeoutLayer};

/// Longer than two requests to the carrier take, one after the other.
const REQUEST: Duration = Duration::from_secs(7);
/// Longer than `REQUEST`.
const SHUTDOWN: Duration = Duration::from_secs(8);

/// The client gets the text of the status.
fn plain(status: StatusCode, cause: &'static str) -> ApiError {
    let detail = status.canonical_reason().unwrap_or_default();
    ApiError(status, detail.into(), anyhow::anyhow!(cause))
}

fn panicked(_panic: Box<dyn Any + Send>) -> Response {
    // The panic hook has printed where and why.
    plain(StatusCode::INTERNAL_SERVER_ERROR, "a panic").into_response()
}

/// Limits and errors for all routes. A request passes the last layer first.
fn app(routes: Router) -> Router {
    routes
        .fallback(async || plain(StatusCode::NOT_FOUND, "no such route"))
        .method_not_allowed_fallback(async || {
            plain(StatusCode::METHOD_NOT_ALLOWED, "no such method")
        })
        .layer(DefaultBodyLimit::max(16 * 1024))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::GATEWAY_TIMEOUT,
            REQUEST,
        ))
        .layer(CatchPanicLayer::custom(panicked))
}

/// One client for the whole program.
fn client() -> reqwest::Result<Client> {
    Client::builder()
        .connect_timeout(Duration::from_secs(1))
        .read_timeout(Duration::from_secs(2))
        .timeout(Duration::from_secs(3))
        .build()
}

/// Serves until `closing` is cancelled, and answers what has begun.
async fn serve(
    listener: TcpListener,
    service: Service,
    closing: CancellationToken,
) -> Result<()> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let routes = Router::new().route("/parcels/{id}", get(parcel));
    let app = app(routes.with_state(service));
    let begun = closing.clone().cancelled_owned();
    let server = axum::serve(listener, app).with_graceful_shutdown(begun);
    let limit = async {
        closing.cancelled().await;
        sleep(SHUTDOWN).await; // for a client that has sent half a request
    };
    tokio::select! {
        ended = server => ended?,
        () = limit => tracing::warn!("connections are left open"),
    }
    Ok(())
}
// ANCHOR_END: call

// A carrier that fails on purpose, and what must come of it. A second process
// asks, so that the first one can read the log.
use std::env;
use std::future::pending;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use anyhow::Context;
use axum::body::Bytes;
use axum::routing::post;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, timeout};

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

/// What else a handler may do.
fn other_routes(service: Service) -> Router {
    let url = format!("{}/parcels/17", service.carrier);
    let twice = async move || {
        let ask = || fetch::<Parcel>(service.client.get(&url));
        _ = ask().await;
        ask().await.map(Json).map_err(failed)
    };
    let panics = async || -> &'static str { panic!("a bug") };
    Router::new()
        .route("/twice", get(twice))
        .route("/hangs", get(pending::<()>))
        .route("/panics", get(panics))
        .route("/labels", post(async |_: Bytes| {}))
}

/// Serves routes on a port of its own.
async fn start(routes: Router) -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, app(routes)).await });
    Ok(address)
}

/// Asks, and prints what the client gets.
async fn ask(case: &str, request: RequestBuilder) -> Result<(u16, String)> {
    let response = request.send().await?;
    let status = response.status().as_u16();
    let body = response.text().await?;
    println!("{}", format!("{case}: {status} {body}").trim_end());
    Ok((status, body))
}

/// A carrier that answers nothing, or refuses connections.
async fn no_carrier(case: &str, url: String) -> Result<(u16, String)> {
    let service = Service { client: client()?, carrier: url };
    let route = Router::new().route("/parcels/{id}", get(parcel));
    let address = start(route.with_state(service)).await?;
    let client = Client::builder().no_proxy().build()?;
    ask(case, client.get(format!("http://{address}/parcels/7"))).await
}

async fn carriers(url: &str) -> Result<()> {
    let client = Client::builder().no_proxy().build()?;
    let (_refused, refused) = refused()?;
    let (_listener, _waiting, unreachable) = unreachable().await?;
    for (id, (case, seconds, status)) in CASES.into_iter().enumerate() {
        let start = Instant::now();
        let (actual, body) = match case {
            "refused" => no_carrier(case, refused.clone()).await?,
            "unreachable" => no_carrier(case, unreachable.clone()).await?,
            _ => ask(case, client.get(format!("{url}/parcels/{id}"))).await?,
        };
        let elapsed = start.elapsed().as_secs_f64();
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
    Ok(())
}

async fn layers(address: SocketAddr) -> Result<()> {
    let client = Client::builder().no_proxy().build()?;
    let url = format!("http://{address}");
    let get = |path| client.get(format!("{url}/{path}"));
    let plain = |text| format!(r#"{{"detail":"{text}"}}"#);
    let start = Instant::now();
    assert_eq!(ask("route", get("x")).await?, (404, plain("Not Found")));
    let put = client.put(format!("{url}/panics"));
    let not_allowed = plain("Method Not Allowed");
    assert_eq!(ask("method", put).await?, (405, not_allowed));
    let failed = plain("Internal Server Error");
    assert_eq!(ask("panics", get("panics")).await?, (500, failed));
    let failed = plain("the carrier has failed");
    assert_eq!(ask("drips twice", get("twice")).await?, (504, failed));
    assert_eq!(start.elapsed().as_secs(), 6);
    assert_eq!(ask("hangs", get("hangs")).await?, (504, String::new()));
    assert_eq!(start.elapsed().as_secs(), 13);
    let post = client.post(format!("{url}/labels"));
    let long = post.try_clone().context("a body")?.body(vec![7; 16 * 1024 + 1]);
    assert_eq!(post.body(vec![7; 16 * 1024]).send().await?.status(), 200);
    assert_eq!(long.send().await?.status(), 413);

    let start = Instant::now();
    let head = "POST /labels HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n";
    let mut half = connect(address, &format!("{head}half")).await?;
    let mut response = [0; 12];
    half.read_exact(&mut response).await?;
    println!("half a body: {}", String::from_utf8_lossy(&response[9..]));
    assert_eq!(&response, b"HTTP/1.1 504");
    assert_eq!(start.elapsed().as_secs(), 7);
    Ok(())
}

/// A connection on which this is sent.
async fn connect(address: SocketAddr, request: &str) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request.as_bytes()).await?;
    Ok(stream)
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn cases() -> Result<()> {
    let (given_up, upstream) =
        (GivenUp::default(), TcpListener::bind("127.0.0.1:0").await?);
    let carrier = format!("http://{}", upstream.local_addr()?);
    tokio::spawn(carry(upstream, Arc::clone(&given_up)));
    let service = Service { client: client()?, carrier };
    let others = start(other_routes(service.clone())).await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let closing = CancellationToken::new();
    let server = tokio::spawn(serve(listener, service, closing.clone()));

    carriers(&format!("http://{address}")).await?;
    layers(others).await?;

    // A client leaves: its handler is dropped, and with it the request to the
    // carrier.
    let begun = Instant::now();
    let request = "GET /parcels/15 HTTP/1.1\r\nhost: a\r\n\r\n";
    let leaving = connect(address, request).await?;
    sleep(SECOND / 2).await;
    drop(leaving);
    sleep(SECOND / 10).await;
    let at = given_up.lock().expect("no panic").expect("it was silent");
    let after = (at - begun).as_millis();
    println!("the client leaves: after 500 ms, the handler is dropped");
    assert_eq!(after, 500);

    let mut half = connect(address, &request[..20]).await?;
    let hour = Duration::from_secs(3600);
    let response = timeout(hour, half.read(&mut [0])).await;
    println!("half a head: no response in an hour");
    assert!(response.is_err());

    // Open requests are answered, and new ones are not accepted.
    let client = Client::builder().no_proxy().build()?;
    let url = format!("http://{address}/parcels/1");
    let open = tokio::spawn(ask("shutdown", client.get(url)));
    sleep(SECOND / 10).await;
    let begun = Instant::now();
    closing.cancel();
    assert_eq!(open.await??.0, 200);
    assert!(TcpStream::connect(address).await.is_err());
    server.await??;
    let seconds = begun.elapsed().as_secs();
    println!("shutdown, half a head: the end after {seconds} s");
    assert_eq!(seconds, 8);
    Ok(())
}

/// The log has the causes without the URLs. A client that asks for an unknown
/// parcel is not in it.
fn main() -> Result<()> {
    if env::args().len() > 1 {
        return cases();
    }
    let mut child = Command::new(env::current_exe()?);
    let output = child.arg("cases").stderr(Stdio::piped()).spawn()?;
    let output = output.wait_with_output()?;
    let log = String::from_utf8(output.stderr)?;
    ensure!(output.status.success(), "{}\n{log}", output.status);
    let lines = |word| log.lines().filter(|l| l.contains(word)).count();
    assert_eq!(lines("the carrier has failed: "), 18, "{log}");
    assert_eq!(lines("HTTP status client error (401 U)"), 1);
    assert_eq!(lines("tcp connect error: Connection refused"), 1);
    assert_eq!(lines("the response is too long"), 1);
    assert_eq!(lines("Internal Server Error: a panic"), 1);
    assert_eq!(lines("ERROR"), 18 + 1, "a handler that hangs has no line");
    assert_eq!(lines("connections are left open"), 1);
    assert_eq!(lines("127.0.0.1") + lines("no such"), 0, "{log}");
    Ok(())
}
// ANCHOR_END: all
