// ANCHOR: all
// ANCHOR: keep
use std::sync::{Arc, Mutex, PoisonError};
use std::{error::Error, time::Duration};

use futures::future::{BoxFuture, FutureExt, Shared, TryFutureExt};
use reqwest::header::HeaderValue;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout};
use tracing::warn;

type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;
type Failure = Arc<dyn Error + Send + Sync>; // one error for many callers
type Outcome = Result<HeaderValue, Failure>;

/// A token and its lifetime. It has no `Debug`, which would show the token.
struct Grant(String, Duration);

/// The header of a token, when to renew it, and when it expires.
type Token = (HeaderValue, Instant, Instant);

/// When a refresh began, its task, and its result.
type Refresh = (Instant, AbortHandle, Shared<BoxFuture<'static, Outcome>>);

// ANCHOR: settings
struct Tokens {
    request: Box<dyn Fn() -> BoxFuture<'static, Result<Grant>> + Send + Sync>,
    timeout: Duration, // of a refresh
    margin: Duration,  // before a token expires, at most half of its lifetime
    pause: Duration,   // from the start of a refresh to the next start
    state: Mutex<(Option<Token>, Option<Refresh>)>,
}
// ANCHOR_END: settings

impl Tokens {
    // ANCHOR: get
    /// The header of a valid token. `rejected` is one that got a 401.
    async fn get(self: &Arc<Self>, rejected: Option<&HeaderValue>) -> Outcome {
        let result = {
            let (now, state) = (Instant::now(), self.state.lock());
            let mut state = state.unwrap_or_else(PoisonError::into_inner);
            let (token, refresh) = &mut *state;
            token.take_if(|(header, ..)| Some(&*header) == rejected);
            let due = token.as_ref().is_none_or(|(_, at, _)| now >= *at);
            let idle = refresh.as_ref().is_none_or(|(began, task, _)| {
                task.is_finished() && now >= *began + self.pause
            });
            if due && idle {
                let renew = Arc::clone(self).renew(now);
                let renew = renew.inspect_err(|e| warn!("refresh: {e}"));
                let renewal = tokio::spawn(renew);
                let task = renewal.abort_handle();
                let result = async { renewal.await? }.map_err(Failure::from);
                *refresh = Some((now, task, result.boxed().shared()));
            }
            match token {
                Some((valid, _, end)) if now < *end => return Ok(valid.clone()),
                _ => refresh.as_ref().expect("it has begun").2.clone(),
            }
        };
        result.await
    }
    // ANCHOR_END: get

    // ANCHOR: renew
    async fn renew(self: Arc<Self>, sent: Instant) -> Result<HeaderValue> {
        let Grant(raw, life) =
            timeout(self.timeout, (self.request)()).await??;
        let mut header = HeaderValue::try_from(format!("Bearer {raw}"))?;
        header.set_sensitive(true); // `Debug` does not show it
        let end = sent + life;
        let token = (header.clone(), end - self.margin.min(life / 2), end);
        let state = self.state.lock();
        state.unwrap_or_else(PoisonError::into_inner).0 = Some(token);
        Ok(header)
    }
    // ANCHOR_END: renew
}
// ANCHOR_END: keep

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::{get, post};
use futures::executor::block_on;
use futures::future::{join_all, pending};
use reqwest::header::AUTHORIZATION;
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use tokio::net::TcpListener;
use tokio::task::JoinError;
use tokio::time::error::Elapsed;
use tokio::time::sleep;

// ANCHOR: fixed_send
/// Sends a request with a token. After a 401 it does so once more.
async fn send(
    tokens: &Arc<Tokens>,
    request: impl Fn(HeaderValue) -> RequestBuilder,
) -> Result<Response> {
    let token = tokens.get(None).await?;
    match request(token.clone()).send().await? {
        refused if refused.status() == StatusCode::UNAUTHORIZED => {}
        response => return Ok(response),
    }
    let token = tokens.get(Some(&token)).await?;
    Ok(request(token).send().await?)
}
// ANCHOR_END: fixed_send

// ANCHOR: call
async fn sign_in(client: Client, url: String) -> Result<Grant> {
    #[derive(serde::Deserialize)]
    struct Answer {
        access_token: String,
        expires_in: u64, // in seconds
    }
    let form = [("grant_type", "client_credentials")];
    let request = client.post(url).basic_auth("parcels", Some("secret"));
    let response = request.form(&form).send().await?;
    let status = response.status();
    if !status.is_success() {
        return Err(format!("{status}: {}", response.text().await?).into());
    }
    let Answer { access_token, expires_in } = response.json().await?;
    Ok(Grant(access_token, Duration::from_secs(expires_in)))
}

fn new_tokens(client: Client, url: String) -> Arc<Tokens> {
    Arc::new(Tokens {
        request: Box::new(move || sign_in(client.clone(), url.clone()).boxed()),
        timeout: Duration::from_secs(30),
        margin: Duration::from_secs(300),
        pause: Duration::from_secs(10),
        state: Mutex::default(),
    })
}

async fn track(
    client: &Client,
    tokens: &Arc<Tokens>,
    url: &str,
) -> Result<String> {
    let request = |token| client.get(url).header(AUTHORIZATION, token);
    let response = send(tokens, request).await?.error_for_status()?;
    Ok(response.text().await?)
}
// ANCHOR_END: call

// An identity provider, a carrier, and what must come of them.
static LOG: Mutex<String> = Mutex::new(String::new());

/// Writes into `LOG`.
struct Writer;

impl std::io::Write for Writer {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        let mut log = LOG.lock().expect("no panic");
        log.push_str(&String::from_utf8_lossy(line));
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The messages since the last call.
fn logged() -> Vec<String> {
    let log = std::mem::take(&mut *LOG.lock().expect("no panic"));
    let messages = log.lines().filter_map(|line| line.split_once("refresh: "));
    messages.map(|(_, message)| message.to_owned()).collect()
}

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

/// Answers after two seconds. Its tokens are numbers.
struct Provider {
    start: Instant,
    mode: Mutex<&'static str>,
    life: Duration,
    /// The second of each request.
    requests: Mutex<Vec<u64>>,
    /// Until when each token is valid, by the carrier's clock.
    valid: Mutex<Vec<Instant>>,
    /// How far the carrier's clock is ahead of ours.
    ahead: Mutex<Duration>,
    /// How many requests the carrier has refused.
    refused: Mutex<usize>,
}

impl Provider {
    fn new(life: Duration) -> Arc<Self> {
        Arc::new(Provider {
            start: Instant::now(),
            mode: Mutex::new("works"),
            life,
            requests: Mutex::default(),
            valid: Mutex::default(),
            ahead: Mutex::default(),
            refused: Mutex::default(),
        })
    }

    fn set(&self, mode: &'static str) {
        *self.mode.lock().expect("no panic") = mode;
    }

    fn mode(&self) -> &'static str {
        *self.mode.lock().expect("no panic")
    }

    async fn grant(self: Arc<Self>) -> Result<Grant> {
        let second = self.start.elapsed().as_secs();
        self.requests.lock().expect("no panic").push(second);
        if self.mode() == "silent" {
            pending().await
        }
        sleep(2 * SECOND).await;
        let ahead = *self.ahead.lock().expect("no panic");
        let number = {
            let mut valid = self.valid.lock().expect("no panic");
            valid.push(Instant::now() + ahead + self.life);
            valid.len()
        };
        match self.mode() {
            "fails" => Err("503 Service Unavailable".into()),
            "panics" => panic!("a comma in the answer"),
            "malformed" => Ok(Grant("7\n8".into(), self.life)),
            _ => Ok(Grant(number.to_string(), self.life)),
        }
    }

    /// How many requests since the last call.
    fn requests(&self) -> usize {
        self.requests.lock().expect("no panic").drain(..).count()
    }

    fn refused(&self) -> usize {
        std::mem::take(&mut *self.refused.lock().expect("no panic"))
    }
}

fn tokens(provider: &Arc<Provider>) -> Arc<Tokens> {
    let provider = Arc::clone(provider);
    Arc::new(Tokens {
        request: Box::new(move || Arc::clone(&provider).grant().boxed()),
        timeout: 30 * SECOND,
        margin: 300 * SECOND,
        pause: 10 * SECOND,
        state: Mutex::default(),
    })
}

/// The number in a header.
fn number(header: &HeaderValue) -> usize {
    let text = header.to_str().ok().and_then(|h| h.strip_prefix("Bearer "));
    text.and_then(|text| text.parse().ok()).expect("a number")
}

async fn get_number(tokens: &Arc<Tokens>) -> Result<usize, Failure> {
    tokens.get(None).await.map(|header| number(&header))
}

/// What a number of callers get at the same time, and how long they wait.
async fn callers(
    count: usize,
    tokens: &Arc<Tokens>,
) -> (Vec<Result<usize, Failure>>, Duration) {
    let start = Instant::now();
    let ends = join_all((0..count).map(|_| get_number(tokens))).await;
    (ends, start.elapsed())
}

/// The same for callers that all get the token with this number.
async fn all_get(expected: usize, tokens: &Arc<Tokens>) -> Duration {
    let (ends, waited) = callers(100, tokens).await;
    assert!(ends.iter().all(|end| *end.as_ref().expect("one") == expected));
    waited
}

async fn in_time() {
    let provider = Provider::new(HOUR);
    let tokens = tokens(&provider);
    let waited = all_get(1, &tokens).await;
    println!("at once: waited {waited:?}, requests: {}", provider.requests());
    assert_eq!(waited, 2 * SECOND);

    // The hour counts from before the request.
    sleep(3298 * SECOND - Duration::from_millis(1)).await;
    assert_eq!(all_get(1, &tokens).await, Duration::ZERO);
    assert_eq!(provider.requests(), 0);
    sleep(Duration::from_millis(1)).await;
    let waited = all_get(1, &tokens).await;
    sleep(SECOND).await;
    assert_eq!(all_get(1, &tokens).await, Duration::ZERO);
    println!("ahead: waited {waited:?}, requests: {}", provider.requests());
    assert_eq!(waited, Duration::ZERO);
    sleep(2 * SECOND).await;
    assert_eq!(all_get(2, &tokens).await, Duration::ZERO);

    sleep(10 * HOUR).await;
    assert_eq!(provider.requests(), 0);
    let waited = all_get(3, &tokens).await;
    println!("quiet: waited {waited:?}, requests: {}", provider.requests());
    assert_eq!(waited, 2 * SECOND);
}

/// The provider fails from before the renewal until after the token's end.
async fn outage() {
    let provider = Provider::new(HOUR);
    let tokens = tokens(&provider);
    all_get(1, &tokens).await;
    provider.set("fails");
    let mut ends = Vec::new();
    while provider.start.elapsed() < HOUR + 60 * SECOND {
        sleep(SECOND).await;
        ends.push((provider.start.elapsed(), callers(10, &tokens).await));
    }
    let served = ends.iter().take_while(|(_, (e, _))| e[0].is_ok()).count();
    assert!(ends[..served].iter().all(|(_, (_, w))| *w == Duration::ZERO));
    let (last, _) = &ends[served - 1];
    let (_, (errors, _)) = &ends[served];
    let error = errors[0].as_ref().expect_err("a failure");
    println!("down: served until second {}, then {error}", last.as_secs());
    assert_eq!(*last, HOUR - SECOND);
    assert_eq!(error.to_string(), "503 Service Unavailable");
    assert!(
        ends[served..].iter().all(|(_, (e, _))| e.iter().all(Result::is_err))
    );
    let requests: Vec<_> =
        provider.requests.lock().expect("no panic").drain(..).collect();
    println!("down: requests at second {:?} ...", &requests[..4]);
    assert_eq!(requests[..4], [0, 3300, 3310, 3320]);
    assert_eq!(requests.len(), 1 + 37);

    provider.set("works");
    sleep(10 * SECOND).await;
    let last = provider.valid.lock().expect("no panic").len();
    let waited = all_get(last + 1, &tokens).await;
    println!("up again: waited {waited:?}, requests: {}", provider.requests());
    assert_eq!(waited, 2 * SECOND);
}

async fn failures() {
    for (mode, seconds) in
        [("fails", 2), ("panics", 2), ("malformed", 2), ("silent", 30)]
    {
        let provider = Provider::new(HOUR);
        let tokens = tokens(&provider);
        provider.set(mode);
        logged();
        let (ends, waited) = callers(20, &tokens).await;
        let errors: Vec<_> =
            ends.into_iter().map(|end| end.expect_err("a failure")).collect();
        let (error, requests) = (&errors[0], provider.requests());
        println!("{mode}: 20 errors in {waited:?}, requests: {requests}");
        assert_eq!((waited, requests), (seconds * SECOND, 1));
        assert!(errors.iter().all(|other| Arc::ptr_eq(other, error)));
        match mode {
            "fails" => assert_eq!(error.to_string(), "503 Service Unavailable"),
            "panics" => {
                let panic = error.downcast_ref::<JoinError>();
                assert!(panic.is_some_and(JoinError::is_panic));
            }
            "malformed" => {
                assert_eq!(error.to_string(), "failed to parse header value");
            }
            _ => assert!(error.is::<Elapsed>()),
        }

        // Once, for 20 callers. The panic hook prints a panic.
        let count = usize::from(mode != "panics");
        assert_eq!(logged(), vec![error.to_string(); count]);

        // Ten seconds after the start of the refresh, another one may begin.
        provider.set("works");
        let pause = Duration::from_millis(9_999).saturating_sub(waited);
        sleep(pause).await;
        if mode != "silent" {
            let told = get_number(&tokens).await.expect_err("the same");
            assert!(Arc::ptr_eq(&told, error));
            assert_eq!(provider.requests(), 0);
            sleep(Duration::from_millis(1)).await;
        }
        let (ends, waited) = callers(20, &tokens).await;
        assert!(ends.iter().all(Result::is_ok));
        assert_eq!((waited, provider.requests()), (2 * SECOND, 1));
    }
    println!("after the pause: 20 tokens, requests: 1");
}

async fn leaves() {
    let provider = Provider::new(HOUR);
    let tokens = tokens(&provider);
    // ANCHOR: leaves
    let callers = [1, 3].map(async |seconds| {
        timeout(seconds * SECOND, get_number(&tokens)).await.is_ok()
    });
    let got = join_all(callers).await;
    // ANCHOR_END: leaves
    println!("leaves: {got:?}, requests: {}", provider.requests());
    assert_eq!(got, [false, true]);

    // No caller is left: the refresh ends, and so does its task.
    sleep(2 * HOUR).await;
    assert!(timeout(SECOND, get_number(&tokens)).await.is_err());
    let weak = Arc::downgrade(&tokens);
    drop(tokens);
    assert_eq!(weak.strong_count(), 1);
    sleep(2 * SECOND).await;
    let (requests, left) = (provider.requests(), weak.strong_count());
    println!("dropped: requests: {requests}, references: {left}");
    assert_eq!((requests, left), (1, 0));
    assert_eq!(provider.valid.lock().expect("no panic").len(), 2, "it ended");

    let tokens = self::tokens(&provider);
    all_get(3, &tokens).await;
    let weak = Arc::downgrade(&tokens);
    drop(tokens);
    assert_eq!(weak.strong_count(), 0, "no task between two refreshes");
}

async fn short_life() {
    let provider = Provider::new(60 * SECOND);
    let tokens = tokens(&provider);
    all_get(1, &tokens).await;
    while provider.start.elapsed() < HOUR {
        sleep(SECOND).await;
        callers(1, &tokens).await.0[0].as_ref().expect("a token");
    }
    let requests = provider.requests();
    println!("60 s: requests in an hour: {requests}");
    assert_eq!(requests, 120);

    // It has expired when it comes.
    let provider = Provider::new(SECOND);
    let tokens = self::tokens(&provider);
    assert_eq!(all_get(1, &tokens).await, 2 * SECOND);
    assert_eq!(all_get(1, &tokens).await, Duration::ZERO);
    sleep(8 * SECOND).await;
    assert_eq!(all_get(2, &tokens).await, 2 * SECOND);
}

/// The carrier: it accepts the provider's tokens as long as they are valid.
async fn parcel(
    State(provider): State<Arc<Provider>>,
    headers: HeaderMap,
) -> Result<&'static str, StatusCode> {
    let now = Instant::now() + *provider.ahead.lock().expect("no panic");
    let valid = headers.get(AUTHORIZATION).is_some_and(|header| {
        provider.valid.lock().expect("no panic")[number(header) - 1] > now
    });
    if valid && provider.mode() != "refuses" {
        return Ok("in transit");
    }
    *provider.refused.lock().expect("no panic") += 1;
    Err(StatusCode::UNAUTHORIZED)
}

/// The provider over HTTP.
async fn token(
    State(provider): State<Arc<Provider>>,
    headers: HeaderMap,
    form: String,
) -> Result<String, (StatusCode, &'static str)> {
    assert_eq!(form, "grant_type=client_credentials");
    assert_eq!(headers[AUTHORIZATION], "Basic cGFyY2VsczpzZWNyZXQ=");
    let life = provider.life.as_secs();
    match provider.grant().await {
        Ok(Grant(token, _)) => Ok(format!(
            r#"{{"access_token": "{token}", "expires_in": {life}}}"#
        )),
        Err(_) => {
            Err((StatusCode::BAD_REQUEST, r#"{"error":"invalid_grant"}"#))
        }
    }
}

/// Starts both. The base of their URLs.
async fn serve(provider: &Arc<Provider>) -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let router = Router::new()
        .route("/token", post(token))
        .route("/parcels/7", get(parcel))
        .with_state(Arc::clone(provider));
    tokio::spawn(async { axum::serve(listener, router).await });
    Ok(url)
}

/// The statuses of ten requests at the same time.
async fn ten(
    client: &Client,
    tokens: &Arc<Tokens>,
    url: &str,
) -> Vec<Result<String, String>> {
    let ends = join_all((0..10).map(|_| track(client, tokens, url))).await;
    let text = |error: Box<dyn Error + Send + Sync>| error.to_string();
    ends.into_iter().map(|end| end.map_err(text)).collect()
}

async fn rejected(client: &Client) -> Result<()> {
    let provider = Provider::new(HOUR);
    let tokens = tokens(&provider);
    let url = format!("{}/parcels/7", serve(&provider).await?);
    let report = |case, ends: Vec<Result<String, String>>| {
        let ok = ends.iter().filter(|end| end.is_ok()).count();
        let (refused, requests) = (provider.refused(), provider.requests());
        println!("{case}: {ok} of 10, 401: {refused}, requests: {requests}");
        (ok, refused, requests)
    };
    let ends = ten(client, &tokens, &url).await;
    assert_eq!(report("accepted", ends), (10, 0, 1));

    // The machine sleeps for two hours, and our clock does not tick.
    sleep(60 * SECOND).await;
    *provider.ahead.lock().expect("no panic") = 2 * HOUR;
    let ends = ten(client, &tokens, &url).await;
    assert_eq!(report("suspended", ends), (10, 10, 1));
    // And once more, when the token is about to be renewed.
    sleep(3300 * SECOND).await;
    *provider.ahead.lock().expect("no panic") = 4 * HOUR;
    let ends = ten(client, &tokens, &url).await;
    assert_eq!(report("suspended, and due", ends), (10, 10, 1));

    // A caller that has been away with an old token.
    let old = HeaderValue::from_static("Bearer 1");
    let newer = tokens.get(Some(&old)).await.expect("a token");
    assert_eq!((number(&newer), provider.requests()), (3, 0));

    // The token is not the reason: one refresh in ten seconds.
    provider.set("refuses");
    sleep(10 * SECOND).await;
    let ends = ten(client, &tokens, &url).await;
    let error = ends[0].clone().expect_err("a 401");
    assert!(error.contains("401 Unauthorized"), "{error}");
    assert_eq!(report("refused", ends), (0, 20, 1));
    let ends = ten(client, &tokens, &url).await;
    assert_eq!(report("refused again", ends), (0, 20, 0));
    provider.set("works");
    assert_eq!(
        report("accepted again", ten(client, &tokens, &url).await),
        (10, 0, 0)
    );

    // Rejected, and the provider is down: the old token is not used again.
    sleep(10 * SECOND).await;
    let ends = ten(client, &tokens, &url).await;
    assert_eq!(report("obtained again", ends), (10, 0, 1));
    sleep(10 * SECOND).await;
    provider.set("fails");
    *provider.ahead.lock().expect("no panic") = 6 * HOUR;
    let ends = ten(client, &tokens, &url).await;
    let error = ends[0].clone().expect_err("a failure");
    assert_eq!(error, "503 Service Unavailable");
    assert_eq!(report("rejected, and down", ends), (0, 10, 1));
    let error = track(client, &tokens, &url).await.expect_err("a failure");
    assert!(error.is::<Failure>());
    assert_eq!((provider.refused(), provider.requests()), (0, 0));
    Ok(())
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<()> {
    let format = tracing_subscriber::fmt().with_ansi(false).without_time();
    format.with_target(false).with_writer(|| Writer).init();
    leaves().await;

    let client = Client::builder().no_proxy().build()?;
    let provider = Provider::new(HOUR);
    let url = serve(&provider).await?;
    let tokens = new_tokens(client.clone(), format!("{url}/token"));
    let url = format!("{url}/parcels/7");
    let status = track(&client, &tokens, &url).await?;
    assert_eq!((status.as_str(), provider.requests()), ("in transit", 1));
    sleep(HOUR).await;
    provider.set("fails");
    let error = track(&client, &tokens, &url).await.expect_err("a failure");
    let failure = error.downcast_ref::<Failure>().expect("of the provider");
    println!("not signed in: {failure}");
    let expected = r#"400 Bad Request: {"error":"invalid_grant"}"#;
    assert_eq!(failure.to_string(), expected);

    in_time().await;
    outage().await;
    failures().await;
    short_life().await;
    rejected(&client).await?;

    // `get` panics without a runtime. Later calls work.
    let provider = Provider::new(HOUR);
    let tokens = self::tokens(&provider);
    let shared = Arc::clone(&tokens);
    let call = move || block_on(get_number(&shared)).is_ok();
    std::thread::spawn(call).join().expect_err("a panic");
    let token = tokens.get(None).await.expect("a token");
    println!("no runtime: a panic, then a token: {token:?}");
    assert_eq!(format!("{token:?}"), "Sensitive");
    let request = client.get(&url).header(AUTHORIZATION, token);
    assert!(!format!("{request:?}").contains("Bearer"));
    Ok(())
}
// ANCHOR_END: all
