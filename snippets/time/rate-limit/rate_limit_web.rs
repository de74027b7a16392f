// ANCHOR: all
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::RETRY_AFTER;
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use tokio::time::{Instant, advance};
use tower::ServiceExt;

/// tokio's clock, since its start.
struct TokioClock(Instant);

impl Clock for TokioClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

/// An agency, and its door.
type Doors = RateLimiter<
    String,
    HashMapStateStore<String>,
    TokioClock,
    NoOpMiddleware<Duration>,
>;

// ANCHOR: handler
async fn book(
    State(doors): State<Arc<Doors>>,
    agency: Path<String>,
) -> Response {
    if let Err(early) = doors.check_key(&agency) {
        let wait = early.wait_time_from(doors.clock().now());
        // In whole seconds, and rather too late than too early.
        let seconds = wait.as_nanos().div_ceil(1_000_000_000).to_string();
        let refused = StatusCode::TOO_MANY_REQUESTS;
        return (refused, [(RETRY_AFTER, seconds)]).into_response();
    }
    "booked".into_response()
}
// ANCHOR_END: handler

/// The status, and the seconds to wait.
async fn ask(app: &Router, agency: &str) -> anyhow::Result<(u16, u64)> {
    let request = Request::post(format!("/{agency}")).body(Body::empty())?;
    let response = app.clone().oneshot(request).await?;
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
    let doors: Arc<Doors> =
        Arc::new(RateLimiter::hashmap_with_clock(quota, clock));
    let app = Router::new().route("/{agency}", post(book)).with_state(doors);

    for _ in 0..4 {
        assert_eq!(ask(&app, "alps").await?, (200, 0));
    }
    // Ten seconds and a microsecond before there is room.
    advance(Duration::from_micros(4_999_999)).await;
    let refused = ask(&app, "alps").await?;
    println!("alps, the fifth time: {refused:?}");
    assert_eq!(refused, (429, 11));

    let other = ask(&app, "baltic").await?;
    println!("baltic: {other:?}");
    assert_eq!(other, (200, 0), "it has a door of its own");

    // ANCHOR: obey
    advance(Duration::from_secs(refused.1)).await;
    let obedient = ask(&app, "alps").await?;
    // ANCHOR_END: obey
    println!("alps, eleven seconds later: {obedient:?}");
    assert_eq!(obedient, (200, 0));
    Ok(())
}
// ANCHOR_END: all
