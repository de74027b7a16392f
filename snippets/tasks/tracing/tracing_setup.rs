// ANCHOR: all
// ANCHOR: keep
use std::{io, panic};

use anyhow::Result;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::{Next, from_fn};
use axum::{Router, response::Response};
use tower_http::trace::{DefaultOnResponse, TraceLayer};
use tracing::{Level, Span, error, error_span};
use tracing_appender::non_blocking::{NonBlocking, WorkerGuard};
use tracing_subscriber::EnvFilter;
use uuid::Uuid;

const REQUEST_ID: &str = "x-request-id";

// ANCHOR: set_up
/// Each line of the log is an object of JSON, which a thread writes. Keep the
/// guard until `main` ends: when it is dropped, the last lines are written.
fn set_up(
    levels: &str,
    output: impl io::Write + Send + 'static,
) -> Result<WorkerGuard> {
    let filter = EnvFilter::try_new(levels)?;
    let (writer, guard) = NonBlocking::new(output);
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false) // `spans` has it, too
        .with_env_filter(filter)
        .with_writer(writer)
        .init();
    let print = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        error!("{panic}");
        print(panic);
    }));
    Ok(guard)
}
// ANCHOR_END: set_up

// ANCHOR: request_id
/// The id that the client or a proxy has sent, if it is a good one.
fn request_id(headers: &HeaderMap) -> HeaderValue {
    let good = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
    let sent = headers.get(REQUEST_ID);
    let sent = sent.filter(|id| (1..=64).contains(&id.len()));
    let sent = sent.filter(|id| id.as_bytes().iter().all(good));
    let new = || HeaderValue::try_from(Uuid::new_v4().to_string());
    sent.cloned().unwrap_or_else(|| new().expect("it is ASCII"))
}
// ANCHOR_END: request_id

/// The handler, the lines of the log and the response have the same id.
async fn set_request_id(mut request: Request, next: Next) -> Response {
    let id = request_id(request.headers());
    request.headers_mut().insert(REQUEST_ID, id.clone());
    let mut response = next.run(request).await;
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

fn request_span(request: &Request) -> Span {
    let id = request.headers().get(REQUEST_ID);
    let id = id.and_then(|id| id.to_str().ok());
    let path = request.extensions().get().map(MatchedPath::as_str);
    error_span!("request", id, method = %request.method(), path)
}

fn traced(app: Router) -> Router {
    let trace = TraceLayer::new_for_http().make_span_with(request_span);
    let response = DefaultOnResponse::new().level(Level::INFO);
    app.layer(trace.on_response(response)).layer(from_fn(set_request_id))
}
// ANCHOR_END: keep

// A service whose requests succeed, fail and panic.
use std::env;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, bail};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use reqwest::Client;
use serde_json::{Map, Value};
use tokio::net::TcpListener;
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};
use tracing::{Instrument, debug, info, instrument};

// ANCHOR: handler
/// A library whose lines at INFO are too many is set to WARN.
const LEVELS: &str = "info,fonts=warn";

/// Asks the carrier. The span has the field `parcel`, and no other argument.
#[instrument(skip_all, fields(parcel = parcel))]
async fn status(parcel: u32, api_key: &str) -> Result<&'static str> {
    debug!("the carrier is asked");
    let status = carrier(parcel, api_key).await.context("carrier")?;
    info!(status, "the carrier has answered");
    Ok(status)
}

async fn track(parcel: u32, api_key: &str) -> Result<String> {
    let status = status(parcel, api_key).await?;
    let events = tokio::spawn(events(parcel).in_current_span()).await?;
    let span = Span::current();
    let label = spawn_blocking(move || span.in_scope(|| render(parcel)));
    Ok(format!("{status}, {events} events, {}", label.await?))
}

async fn show(
    State(api_key): State<&'static str>,
    Path(parcel): Path<u32>,
) -> Result<String, StatusCode> {
    track(parcel, api_key).await.map_err(|error| {
        error!(parcel, "{error:#}");
        StatusCode::BAD_GATEWAY
    })
}
// ANCHOR_END: handler

async fn carrier(parcel: u32, api_key: &str) -> Result<&'static str> {
    assert_eq!(api_key, "secret");
    sleep(Duration::from_millis(u64::from(parcel % 10))).await;
    match parcel {
        13 => bail!("404 Not Found"),
        _ => Ok("in transit"),
    }
}

async fn events(parcel: u32) -> usize {
    sleep(Duration::from_millis(u64::from(parcel % 10))).await;
    assert!(parcel != 8, "no address");
    info!(parcel, "the events are read");
    3
}

/// As a library does that uses the crate log.
fn render(parcel: u32) -> &'static str {
    log::info!(target: "fonts", "11 fonts are loaded");
    log::warn!(target: "fonts", "the label of {parcel} has no font");
    "a label"
}

fn app() -> Router {
    Router::new().route("/parcels/{id}", get(show)).with_state("secret")
}

/// All that is written to it.
#[derive(Clone, Default)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl io::Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut output = self.0.lock().expect("no holder panics");
        output.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Output {
    fn lines(&self) -> Vec<String> {
        let output = self.0.lock().expect("no holder panics").clone();
        let output = String::from_utf8(output).expect("text");
        output.lines().map(str::to_owned).collect()
    }
}

/// A line without its times: level, spans, and the rest.
fn brief(line: &str) -> String {
    let mut line: Map<String, Value> =
        serde_json::from_str(line).expect("JSON");
    let mut take = |field| line.remove(field).unwrap_or_default();
    let timestamp = take("timestamp");
    assert!(timestamp.as_str().is_some_and(|time| time.ends_with('Z')));
    let (level, spans) = (take("level"), take("spans"));
    let message = take("message");
    _ = (take("target"), take("latency"), take("classification"));
    let spans =
        spans.as_array().expect("a list").iter().map(|span| match span["name"]
            .as_str()
            .expect("a name")
        {
            "request" => span["id"].to_string(),
            name => format!("{name} {}", span["parcel"]),
        });
    let spans = spans.collect::<Vec<_>>().join(", ").replace('"', "");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let (level, message) = (text(&level), text(&message));
    let message = message.lines().last().expect("a line"); // of a panic
    let mut brief = format!("{level} [{spans}] {message}");
    let own = line.iter().filter(|(field, _)| !field.starts_with("log."));
    for (field, value) in own {
        brief.push_str(&format!(", {field}: {value}"));
    }
    brief
}

/// What the log has of the request `id-7` and so on.
const EXPECTED: [&str; 12] = [
    r#"INFO [id-7, status 7] the carrier has answered, status: "in transit""#,
    "INFO [id-7] the events are read, parcel: 7",
    "WARN [id-7] the label of 7 has no font",
    "INFO [id-7] finished processing request, status: 200",
    "ERROR [id-13] carrier: 404 Not Found, parcel: 13",
    "INFO [id-13] finished processing request, status: 502",
    "ERROR [id-13] response failed",
    r#"INFO [id-8, status 8] the carrier has answered, status: "in transit""#,
    "ERROR [id-8] no address",
    r#"ERROR [id-8] task 7 panicked with message "no address", parcel: 8"#,
    "INFO [id-8] finished processing request, status: 502",
    "ERROR [id-8] response failed",
];

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<()> {
    assert!(set_up("info,app=loud", io::sink()).is_err());
    let printed = Arc::<AtomicU32>::default();
    let counter = Arc::clone(&printed);
    panic::set_hook(Box::new(move |_| _ = counter.fetch_add(1, Relaxed)));
    let output = Output::default();
    let log = output.clone(); // `io::stdout()` in a service
    // ANCHOR: call
    let levels = env::var("RUST_LOG").unwrap_or(LEVELS.to_owned());
    let guard = set_up(&levels, log)?;
    let app = traced(app());
    // ANCHOR_END: call
    assert_eq!(levels, LEVELS, "RUST_LOG must not be set here");
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/parcels", listener.local_addr()?);
    let server = tokio::spawn(async move { axum::serve(listener, app).await });

    let client = Client::builder().no_proxy().build()?;
    let ask = async |parcel: u32, id: &str| {
        let request = client.get(format!("{url}/{parcel}"));
        let response = request.header(REQUEST_ID, id).send().await?;
        let id = response.headers()[REQUEST_ID].to_str()?.to_owned();
        anyhow::Ok((response.status().as_u16(), id))
    };
    for (parcel, status) in [(7, 200), (13, 502), (8, 502)] {
        let id = format!("id-{parcel}");
        assert_eq!(ask(parcel, &id).await?, (status, id));
    }
    let long = "a".repeat(64);
    assert_eq!(ask(7, &long).await?.1, long);
    let refused = ["", "a b", "\"}", "\u{e9}", &format!("{long}a")];
    let mut replaced = Vec::new();
    for id in refused {
        let (status, new) = ask(7, id).await?;
        assert_eq!(status, 200);
        assert!(new.len() == 36 && new.parse::<Uuid>().is_ok());
        replaced.push(new);
    }
    tokio::try_join!(ask(4, "at-once-4"), ask(5, "at-once-5"))?;
    let leaves = timeout(Duration::from_millis(1), ask(9, "leaves"));
    assert!(leaves.await.is_err());
    sleep(Duration::from_secs(1)).await;
    server.abort();
    drop(guard);
    drop(panic::take_hook());
    assert_eq!(printed.load(Relaxed), 1, "the hook before is called, too");

    let lines = output.lines();
    let (_, rest) = lines[0].split_once("Z\",").expect("a timestamp");
    println!("{{{rest}");
    let briefs: Vec<_> = lines.iter().map(|line| brief(line)).collect();
    println!("{}", briefs[..12].join("\n"));
    assert_eq!(briefs[..12], EXPECTED);
    let left = briefs.iter().filter(|line| line.contains("leaves")).count();
    println!("another id: {} of 5 replaced", replaced.len());
    println!("the client leaves: {left} lines");
    assert_eq!(left, 0);
    replaced.extend(["at-once-4".to_owned(), "at-once-5".to_owned()]);
    for request in replaced {
        let start = format!("[{request}");
        let own = briefs.iter().filter(|line| line.contains(&start));
        assert_eq!(own.count(), 4);
    }
    assert_eq!(briefs.len(), 12 + 4 * 8);
    Ok(())
}
// ANCHOR_END: all
