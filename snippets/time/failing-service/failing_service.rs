// ANCHOR: all
// ANCHOR: keep
use std::sync::{Arc, Mutex};

use tokio::sync::Semaphore;
use tokio::time::{Duration, Instant, timeout};

#[derive(Debug, thiserror::Error)]
#[error("not sent: the circuit breaker is open")]
struct Open;

// ANCHOR: settings
struct Breaker {
    name: &'static str,
    limit: u32,
    weight: u32,
    open_for: Duration,
    timeout: Duration,
    failure: fn(&anyhow::Error) -> Option<Duration>,
    state: Mutex<State>,
}
// ANCHOR_END: settings

// ANCHOR: state
struct State {
    open_until: Option<Instant>, // in the past: half-open; none: closed
    score: u32,
    permits: Arc<Semaphore>,
}

fn state(open_until: Option<Instant>, score: u32) -> State {
    let permits = open_until.map_or(Semaphore::MAX_PERMITS, |_| 1);
    State { open_until, score, permits: Arc::new(Semaphore::new(permits)) }
}
// ANCHOR_END: state

impl Breaker {
    async fn call<T>(
        &self,
        request: impl AsyncFnOnce() -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        // ANCHOR: permit
        let permits = {
            let state = self.state.lock().expect("no panic");
            anyhow::ensure!(state.open_until <= Some(Instant::now()), Open);
            Arc::clone(&state.permits)
        };
        let _permit = permits.try_acquire().map_err(|_| Open)?;
        // ANCHOR_END: permit
        // ANCHOR: request
        let result = timeout(self.timeout, request()).await;
        let result = result.unwrap_or_else(|elapsed| Err(elapsed.into()));
        let failed = result.as_ref().err().map(self.failure);
        // ANCHOR_END: request
        // ANCHOR: record
        let mut state = self.state.lock().expect("no panic");
        if failed == Some(None) || !Arc::ptr_eq(&permits, &state.permits) {
            return result; // it does not count
        }
        if let Some(wait) = failed.flatten() {
            state.score += self.weight;
            if state.score >= self.limit || !wait.is_zero() {
                let wait = if wait.is_zero() { self.open_for } else { wait };
                let wait = wait.min(10 * self.open_for);
                let end = Instant::now() + wait.mul_f64(1.0 + fastrand::f64());
                let score = self.limit.saturating_sub(self.weight);
                *state = self::state(Some(end), score);
                drop(state); // a log may block, or panic
                tracing::warn!(self.name, ?wait, "the breaker opens");
            }
        } else if state.score > 1 || state.open_until.is_none() {
            state.score = state.score.saturating_sub(1);
            permits.add_permits(usize::from(state.open_until.is_some()));
        } else {
            *state = self::state(None, 0);
            drop(state);
            tracing::info!(self.name, "the breaker closes");
        }
        // ANCHOR_END: record
        result
    }
}
// ANCHOR_END: keep

// A carrier that fails in every way, and what must come of it.
use std::cell::Cell;
use std::future::pending;
use std::io::{Read, Seek};
use std::panic::AssertUnwindSafe;
use std::sync::{PoisonError, TryLockError};
use std::time::SystemTime;

use futures::future::{FutureExt, join_all};
use httpdate::{fmt_http_date, parse_http_date};
use reqwest::header::RETRY_AFTER;
use reqwest::{Client, Response, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::error::Elapsed;
use tokio::time::sleep;

const SECOND: Duration = Duration::from_secs(1);

// ANCHOR: track
/// The carrier's status, if it is no success, and the wait that it asks for.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Status(StatusCode, Duration);

/// The status of a parcel. The body is read here, for it may break off.
async fn track(client: &Client, url: &str) -> anyhow::Result<String> {
    let response = client.get(url).send().await?;
    let (status, wait) = (response.status(), retry_after(&response));
    anyhow::ensure!(status.is_success(), Status(status, wait));
    Ok(response.text().await?)
}

/// `Some` if the carrier has failed, with the wait that it asks for.
fn failure(error: &anyhow::Error) -> Option<Duration> {
    if let Some(Status(status, wait)) = error.downcast_ref() {
        let fails = matches!(status.as_u16(), 429 | 500 | 502..=504);
        return fails.then_some(*wait);
    }
    // No response in time, or only a part of it.
    let lost = match error.downcast_ref::<reqwest::Error>() {
        Some(error) => !error.is_builder(), // of an invalid URL
        None => error.is::<Elapsed>(),
    };
    lost.then_some(Duration::ZERO)
}

/// The time until `Retry-After`, which has seconds or a date. Zero without it.
fn retry_after(response: &Response) -> Duration {
    let header = response.headers().get(RETRY_AFTER);
    let text = header.and_then(|value| value.to_str().ok()).unwrap_or("");
    let left = |date: SystemTime| date.duration_since(SystemTime::now()).ok();
    match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => parse_http_date(text).ok().and_then(left).unwrap_or_default(),
    }
}
// ANCHOR_END: track

// ANCHOR: handler
/// What your own handler answers when a call has failed.
fn to_status(error: &anyhow::Error) -> StatusCode {
    match error.downcast_ref() {
        Some(Status(StatusCode::NOT_FOUND, _)) => StatusCode::NOT_FOUND,
        _ if error.is::<Open>() => StatusCode::SERVICE_UNAVAILABLE,
        _ if error.is::<Elapsed>() => StatusCode::GATEWAY_TIMEOUT,
        _ => StatusCode::BAD_GATEWAY,
    }
}
// ANCHOR_END: handler

/// Asks for a wait until so many seconds from now, as a date.
fn after(seconds: u32) -> String {
    let date = fmt_http_date(SystemTime::now() + seconds * SECOND);
    format!("503 U\r\nretry-after: {date}\r\ncontent-length: 0\r\n\r\n")
}

/// Answers one request, `GET /case`.
async fn answer(mut stream: TcpStream) {
    let mut head = vec![0; 1024];
    let length = stream.read(&mut head).await.expect("a request");
    let head = String::from_utf8_lossy(&head[..length]);
    let response = match head.split(['/', ' ']).nth(2).expect("a path") {
        "404" => "404 N\r\ncontent-length: 0\r\n\r\n",
        "400" => "400 B\r\ncontent-length: 0\r\n\r\n",
        "501" => "501 N\r\ncontent-length: 0\r\n\r\n",
        "429" => "429 T\r\ncontent-length: 0\r\n\r\n",
        "500" => "500 E\r\ncontent-length: 0\r\n\r\n",
        "503" => "503 U\r\ncontent-length: 0\r\n\r\n",
        "504" => "504 T\r\ncontent-length: 0\r\n\r\n",
        "asks" => "503 U\r\nretry-after: 90\r\ncontent-length: 0\r\n\r\n",
        "soon" => "503 U\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n",
        "far" => {
            "503 U\r\nretry-after: 18446744073709551615\r\n\
             content-length: 0\r\n\r\n"
        }
        "date" => &after(400),
        "past" => {
            "503 U\r\nretry-after: Wed, 21 Oct 2015 07:28:00 GMT\r\n\
             content-length: 0\r\n\r\n"
        }
        "no_date" => "503 U\r\nretry-after: soon\r\ncontent-length: 0\r\n\r\n",
        "malformed" => "in transit\r\n\r\n",
        "cut" => "200 OK\r\ncontent-length: 10\r\n\r\nin tr",
        "reset" => return, // closes the connection
        "silent" => return pending().await,
        _ => "200 OK\r\ncontent-length: 10\r\n\r\nin transit",
    };
    let response = format!("HTTP/1.1 {response}");
    stream.write_all(response.as_bytes()).await.expect("a client");
}

async fn serve(listener: TcpListener) {
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        tokio::spawn(answer(stream));
    }
}

fn breaker() -> Breaker {
    // ANCHOR: new
    let breaker = Breaker {
        name: "north",
        limit: 10,
        weight: 2,
        open_for: Duration::from_secs(30),
        timeout: Duration::from_secs(3),
        failure,
        state: Mutex::new(state(None, 0)),
    };
    // ANCHOR_END: new
    breaker
}

/// A carrier that takes a second, and counts its requests.
#[derive(Default)]
struct Carrier {
    requests: Cell<usize>,
}

impl Carrier {
    /// Replies with a status, or never.
    async fn track(&self, status: u16) -> anyhow::Result<u16> {
        self.requests.set(self.requests.get() + 1);
        if status == 0 {
            pending().await
        }
        sleep(SECOND).await;
        assert!(status != 1, "a comma in the status");
        let status = StatusCode::from_u16(status)?;
        anyhow::ensure!(status.is_success(), Status(status, Duration::ZERO));
        Ok(status.as_u16())
    }

    fn requests(&self) -> usize {
        self.requests.take()
    }
}

/// So many calls at the same time: how many were refused.
async fn at_once(
    count: usize,
    breaker: &Breaker,
    carrier: &Carrier,
    status: u16,
) -> usize {
    let calls =
        (0..count).map(|_| breaker.call(async || carrier.track(status).await));
    let results = join_all(calls).await;
    let errors = results.iter().filter_map(|result| result.as_ref().err());
    errors.filter(|error| error.is::<Open>()).count()
}

/// A breaker that has opened, when it is half-open.
async fn half_open(carrier: &Carrier) -> Breaker {
    let breaker = breaker();
    for _ in 0..5 {
        at_once(1, &breaker, carrier, 503).await;
    }
    assert_eq!(carrier.requests(), 5);
    assert!(left(&breaker).is_some());
    sleep(60 * SECOND).await;
    breaker
}

/// How long it will be open.
fn left(breaker: &Breaker) -> Option<Duration> {
    let state = breaker.state.lock().unwrap_or_else(PoisonError::into_inner);
    state.open_until.map(|until| until.duration_since(Instant::now()))
}

/// How many of 20 requests are sent, one after the other.
async fn in_a_row(breaker: &Breaker, client: &Client, url: &str) -> usize {
    let mut sent = 0;
    for _ in 0..20 {
        let result = breaker.call(|| track(client, url)).await;
        sent += usize::from(!result.is_err_and(|error| error.is::<Open>()));
    }
    sent
}

/// What opens it.
async fn kinds(carrier: &str, client: &Client) -> anyhow::Result<()> {
    // The port is taken, and nothing listens on it.
    let refusing = TcpSocket::new_v4()?;
    refusing.bind("127.0.0.1:0".parse()?)?;
    let refusing = format!("http://{}/", refusing.local_addr()?);
    // The case, how many requests are sent, and how long it is open.
    for (case, expected, shortest) in [
        ("ok", 20, 0),
        ("404", 20, 0),
        ("400", 20, 0),
        ("501", 20, 0),
        ("invalid", 20, 0),
        ("429", 5, 30),
        ("500", 5, 30),
        ("503", 5, 30),
        ("504", 5, 30),
        ("refused", 5, 30),
        ("reset", 5, 30),
        ("cut", 5, 30),
        ("malformed", 5, 30),
        ("silent", 5, 30),
        ("asks", 1, 90),
        ("soon", 1, 1),
        ("far", 1, 300),
        ("date", 1, 300),
        ("past", 5, 30),
        ("no_date", 5, 30),
    ] {
        let url = match case {
            "invalid" => String::new(),
            "refused" => refusing.clone(),
            case => format!("{carrier}/{case}"),
        };
        let (breaker, start) = (breaker(), Instant::now());
        let sent = in_a_row(&breaker, client, &url).await;
        let silence = if case == "silent" { 15 * SECOND } else { SECOND / 10 };
        assert!(start.elapsed() <= silence + SECOND / 10, "{case}");
        let open = left(&breaker);
        let text = match open {
            None => "closed".to_owned(),
            Some(_) => format!("open for {shortest} to {} s", 2 * shortest),
        };
        println!("{case}: {sent} of 20 requests, {text}");
        assert_eq!((sent, open.is_some()), (expected, shortest > 0), "{case}");
        let seconds = open.map_or(0.0, |open| open.as_secs_f64());
        let bounds = f64::from(shortest) - 0.1..=2.0 * f64::from(shortest);
        assert!(bounds.contains(&seconds), "{case}: {seconds}");
    }

    // The share of failures that opens it, and the random part of the wait.
    let other = Carrier::default();
    for (every, expected) in [(2, 18), (3, 300)] {
        let breaker = breaker();
        for number in 1..=300 {
            let status = if number % every == 0 { 503 } else { 200 };
            at_once(1, &breaker, &other, status).await;
            if left(&breaker).is_some() {
                break;
            }
        }
        let sent = other.requests();
        println!("one in {every} fails: {sent} of 300 requests");
        assert_eq!(sent, expected);
    }
    let mut waits = Vec::new();
    for _ in 0..30 {
        let breaker = breaker();
        in_a_row(&breaker, client, &format!("{carrier}/503")).await;
        waits.push(left(&breaker).expect("it is open").as_secs());
    }
    waits.sort_unstable();
    assert!(waits[0] < 40 && waits[29] > 50, "{waits:?}");
    Ok(())
}

/// Each line of the log is written when the lock is free.
async fn logs() {
    let breaker = Arc::new(Breaker { limit: 1, ..self::breaker() });
    let (logged, lines) = (Arc::clone(&breaker), Arc::new(Mutex::new(0)));
    let count = Arc::clone(&lines);
    let writer = move || {
        let state = logged.state.try_lock();
        assert!(!matches!(state, Err(TryLockError::WouldBlock)), "locked");
        *count.lock().expect("no panic") += 1;
        std::io::sink()
    };
    let subscriber = tracing_subscriber::fmt().with_writer(writer).finish();
    let _subscriber = tracing::subscriber::set_default(subscriber);
    let carrier = Carrier::default();
    at_once(1, &breaker, &carrier, 503).await;
    sleep(60 * SECOND).await;
    at_once(1, &breaker, &carrier, 200).await;
    assert_eq!(left(&breaker), None);
    assert_eq!(*lines.lock().expect("no panic"), 2, "it opens and closes");
}

/// How it closes again, and what becomes of a probe.
async fn probes() {
    let carrier = &Carrier::default();
    let breaker = half_open(carrier).await;
    let mut sent = Vec::new();
    for _ in 0..5 {
        at_once(100, &breaker, carrier, 200).await;
        sent.push(carrier.requests());
    }
    println!("recovered, 100 calls at once: {sent:?} requests");
    assert_eq!(sent, [1, 2, 4, 8, 100]);
    assert_eq!(left(&breaker), None);
    // It is closed as at the beginning: five failures in a row open it.
    at_once(4, &breaker, carrier, 503).await;
    assert_eq!(left(&breaker), None);
    at_once(1, &breaker, carrier, 503).await;
    assert!(left(&breaker).is_some());
    carrier.requests();

    for (case, status) in [("still down", 503), ("a silent probe", 0)] {
        let (breaker, start) = (half_open(carrier).await, Instant::now());
        let refused = at_once(100, &breaker, carrier, status).await;
        let seconds = start.elapsed().as_secs();
        let sent = carrier.requests();
        println!("{case}: {sent} of 100 requests, open after {seconds} s");
        assert_eq!((sent, refused), (1, 99));
        assert_eq!(seconds, if status == 0 { 3 } else { 1 });
        assert_eq!(at_once(100, &breaker, carrier, 200).await, 100);
        // Open for as long as the first time.
        assert!(left(&breaker).is_some_and(|left| left > 29 * SECOND));
    }

    // An error that does not count, a caller that gives up, a panic: the next
    // call is a probe, too.
    let breaker = half_open(carrier).await;
    at_once(1, &breaker, carrier, 404).await;
    let probe = at_once(1, &breaker, carrier, 0);
    assert!(timeout(SECOND, probe).await.is_err());
    let probe = AssertUnwindSafe(at_once(1, &breaker, carrier, 1));
    probe.catch_unwind().await.expect_err("a panic");
    assert_eq!(carrier.requests(), 3);
    let refused = at_once(100, &breaker, carrier, 200).await;
    println!("404, cancelled, panicked: the next {} is sent", 100 - refused);
    assert_eq!((refused, carrier.requests()), (99, 1));
    assert_eq!(at_once(100, &breaker, carrier, 200).await, 98);
    assert_eq!(carrier.requests(), 2);

    // While it is half-open, a failure after some successes does not open it.
    // Four do: the score is 3 then.
    assert_eq!(at_once(1, &breaker, carrier, 503).await, 0);
    assert_eq!(at_once(9, &breaker, carrier, 200).await, 5);
    assert_eq!(left(&breaker), Some(Duration::ZERO));
    for number in 1..=4 {
        at_once(1, &breaker, carrier, 503).await;
        let open = left(&breaker).expect("it is not closed");
        assert_eq!(open > Duration::ZERO, number == 4);
    }
    carrier.requests();

    // Requests that were sent before it opened do not count when they end.
    let breaker = self::breaker();
    let late = async {
        sleep(SECOND / 2).await;
        let calls =
            [503, 200].map(|status| at_once(9, &breaker, carrier, status));
        join_all(calls).await;
    };
    let opens = async {
        at_once(5, &breaker, carrier, 503).await;
        left(&breaker).expect("it is open")
    };
    let (open, ()) = tokio::join!(opens, late);
    assert_eq!(left(&breaker), Some(open - SECOND / 2));
    sleep(60 * SECOND).await;
    carrier.requests();
    assert_eq!(at_once(100, &breaker, carrier, 200).await, 99);
    println!("late: 18 results, then 1 of 100 requests");

    // Another weight: four failures open it, and seven successes close it.
    let breaker = Breaker { weight: 3, ..self::breaker() };
    for _ in 0..2 {
        at_once(3, &breaker, carrier, 503).await;
        assert_eq!(left(&breaker), None);
        at_once(1, &breaker, carrier, 503).await;
        assert!(left(&breaker).is_some());
        sleep(60 * SECOND).await;
        for _ in 0..7 {
            assert_eq!(left(&breaker), Some(Duration::ZERO));
            at_once(1, &breaker, carrier, 200).await;
        }
        assert_eq!(left(&breaker), None);
    }

    // The first failure opens it, and the first success closes it.
    let breaker = Breaker { limit: 1, ..self::breaker() };
    at_once(1, &breaker, carrier, 503).await;
    assert!(left(&breaker).is_some());
    sleep(60 * SECOND).await;
    at_once(1, &breaker, carrier, 200).await;
    assert_eq!(left(&breaker), None);
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let mut log = tempfile::tempfile()?;
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(Arc::new(log.try_clone()?));
    let _subscriber = tracing::subscriber::set_default(subscriber.finish());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let carrier = format!("http://{}", listener.local_addr()?);
    tokio::spawn(serve(listener));
    // Each request has a connection of its own: the carrier closes them.
    let client = Client::builder().no_proxy().pool_max_idle_per_host(0);
    let client = client.build()?;
    let breaker = breaker();
    let url = format!("{carrier}/ok");
    // ANCHOR: call
    let status = breaker.call(|| track(&client, &url)).await?;
    // ANCHOR_END: call
    assert_eq!(status, "in transit");
    // A call is `Send`.
    let (breaker, of_task) = (Arc::new(breaker), client.clone());
    let statuses = tokio::spawn(async move {
        let mut statuses = Vec::new();
        for case in ["404", "silent", "503", "asks", "ok"] {
            let url = format!("{}{case}", url.trim_end_matches("ok"));
            let result = breaker.call(|| track(&of_task, &url)).await;
            statuses.push(to_status(&result.expect_err(case)).as_u16());
        }
        statuses
    });
    assert_eq!(statuses.await?, [404, 504, 502, 502, 503]);
    kinds(&carrier, &client).await?;
    probes().await;
    logs().await;

    let mut text = String::new();
    log.rewind()?;
    log.read_to_string(&mut text)?;
    let says = |word| text.lines().any(|line| line.contains(word));
    assert!(says("the breaker opens self.name=\"north\" wait=30s"));
    assert!(says("the breaker closes self.name=\"north\""));
    assert_eq!(text.matches("the breaker closes").count(), 4);
    Ok(())
}
// ANCHOR_END: all
