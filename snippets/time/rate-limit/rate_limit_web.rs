// ANCHOR: all
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{FromRequestParts, State};
use axum::http::header::{AUTHORIZATION, RETRY_AFTER};
use axum::http::{HeaderMap, Request, StatusCode, request::Parts};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use tokio::time::{Instant, advance};
use tower::ServiceExt;

/// tokio's clock, since a moment.
struct TokioClock(Instant);

impl Clock for TokioClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

// ANCHOR: admit
/// A limit for each key.
type Limits = RateLimiter<
    String,
    DashMapStateStore<String>,
    TokioClock,
    NoOpMiddleware<Duration>,
>;

/// After how many seconds the caller may try again.
struct TooMany(u128);

impl IntoResponse for TooMany {
    fn into_response(self) -> Response {
        let retry_after = [(RETRY_AFTER, self.0.to_string())];
        (StatusCode::TOO_MANY_REQUESTS, retry_after).into_response()
    }
}

fn admit(limits: &Limits, key: &String) -> Result<(), TooMany> {
    limits.check_key(key).map_err(|early| {
        let wait = early.wait_time_from(limits.clock().now());
        TooMany(wait.as_nanos().div_ceil(1_000_000_000))
    })
}
// ANCHOR_END: admit

struct App {
    limits: Limits,
    /// The account of each token.
    accounts: HashMap<&'static str, &'static str>,
}

// ANCHOR: broken
async fn buy_for_customer(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<&'static str, TooMany> {
    let customer = headers.get("x-customer").map(|name| name.as_bytes());
    let key = String::from_utf8_lossy(customer.unwrap_or_default());
    admit(&app.limits, &key.into_owned())?;
    Ok("bought")
}
// ANCHOR_END: broken

// ANCHOR: fixed
async fn buy(
    State(app): State<Arc<App>>,
    Account(account): Account,
) -> Result<&'static str, TooMany> {
    admit(&app.limits, &account)?;
    Ok("bought")
}
// ANCHOR_END: fixed

// ANCHOR: fixed_account
/// The account that has logged in: it is found by the token.
struct Account(String);

impl FromRequestParts<Arc<App>> for Account {
    type Rejection = StatusCode;

    async fn from_request_parts(
        parts: &mut Parts,
        app: &Arc<App>,
    ) -> Result<Self, StatusCode> {
        let header = parts.headers.get(AUTHORIZATION);
        let token = header.and_then(|value| value.to_str().ok());
        let account = token.and_then(|token| app.accounts.get(token));
        let account = account.ok_or(StatusCode::UNAUTHORIZED)?;
        Ok(Account(account.to_string()))
    }
}
// ANCHOR_END: fixed_account

/// The status, and the seconds to wait.
async fn ask(
    router: &Router,
    path: &str,
    header: (&str, &str),
) -> anyhow::Result<(u16, u64)> {
    let request = Request::post(path).header(header.0, header.1);
    let request = request.body(Body::empty())?;
    let response = router.clone().oneshot(request).await?;
    let seconds = match response.headers().get(RETRY_AFTER) {
        Some(seconds) => seconds.to_str()?.parse()?,
        None => 0,
    };
    Ok((response.status().as_u16(), seconds))
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let quota = Quota::per_minute(NonZeroU32::new(4).expect("not zero"));
    let clock = TokioClock(Instant::now());
    let limits = RateLimiter::dashmap_with_clock(quota, clock);
    let accounts = HashMap::from([
        ("Bearer 1", "ada"),
        ("Bearer 2", "ben"),
        ("Bearer 3", "ada"), // the same account, on another machine
    ]);
    let app = Arc::new(App { limits, accounts });
    let router = Router::new()
        .route("/customers", post(buy_for_customer))
        .route("/labels", post(buy))
        .with_state(Arc::clone(&app));

    let mut bought = 0;
    for request in 0..100 {
        let name = ("x-customer", &*format!("customer {request}"));
        bought += u32::from(ask(&router, "/customers", name).await?.0 == 200);
    }
    println!("a new name each time: {bought} of 100 labels");
    assert_eq!(bought, 100);

    let ada = ("authorization", "Bearer 1");
    let mut bought = 0;
    for _ in 0..100 {
        bought += u32::from(ask(&router, "/labels", ada).await?.0 == 200);
    }
    println!("one account: {bought} of 100 labels");
    assert_eq!(bought, 4);

    let second = ask(&router, "/labels", ("authorization", "Bearer 3")).await?;
    println!("another token of the account: {second:?}");
    assert_eq!(second, (429, 15));

    // Ten seconds and a microsecond before the next one.
    advance(Duration::from_micros(4_999_999)).await;
    let refused = ask(&router, "/labels", ada).await?;
    println!("too early: {refused:?}");
    assert_eq!(refused, (429, 11));
    advance(Duration::from_secs(refused.1)).await;
    let again = ask(&router, "/labels", ada).await?;
    println!("11 s later: {again:?}");
    assert_eq!(again, (200, 0));

    let other = ask(&router, "/labels", ("authorization", "Bearer 2")).await?;
    println!("another account: {other:?}");
    assert_eq!(other, (200, 0));
    for header in [("x-customer", "ada"), ("authorization", "Bearer 4")] {
        assert_eq!(ask(&router, "/labels", header).await?, (401, 0));
    }
    Ok(())
}
// ANCHOR_END: all
