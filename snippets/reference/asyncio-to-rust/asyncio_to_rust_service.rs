// ANCHOR: all
use std::convert::Infallible;
use std::future::{IntoFuture, pending};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{Router, get, post};
use futures::stream::{self, Stream, StreamExt};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_http::timeout::TimeoutLayer;

#[derive(Clone, Default)]
struct Harbour {
    work: TaskTracker,
    unloaded: watch::Sender<u32>,
    lights_on: watch::Sender<bool>,
}

/// Answers at once. The work waits until the lights are on.
async fn unload(State(harbour): State<Harbour>) -> StatusCode {
    let mut lights = harbour.lights_on.subscribe();
    harbour.work.spawn(async move {
        lights.wait_for(|on| *on).await.expect("the sender is in `main`");
        harbour.unloaded.send_modify(|ships| *ships += 1);
    });
    StatusCode::ACCEPTED
}

fn ships() -> impl Stream<Item = Result<&'static str, Infallible>> {
    stream::iter([Ok("Vega "), Ok("Lyra")])
}

async fn log_book() -> Body {
    Body::from_stream(ships())
}

async fn radio() -> impl IntoResponse {
    Sse::new(ships().map(|ship| ship.map(|name| Event::default().data(name))))
}

async fn stamp(request: Request, next: Next) -> Response {
    let answer = next.run(request).await;
    ([("stamped", "yes")], answer).into_response()
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // What a lifespan sets up is made before the server is.
    let harbour = Harbour::default();
    let late = StatusCode::GATEWAY_TIMEOUT;
    let app = Router::new()
        .route("/fog", get(pending::<()>))
        .layer(TimeoutLayer::with_status_code(late, Duration::ZERO))
        .route("/unload", post(unload))
        .route("/log", get(log_book))
        .route("/radio", get(radio))
        .layer(from_fn(stamp)) // for all above it
        .route("/buoy", get(async || ()))
        .with_state(harbour.clone());
    let closing = CancellationToken::new();
    let closed = closing.clone().cancelled_owned();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let server = axum::serve(listener, app).with_graceful_shutdown(closed);
    let server = tokio::spawn(server.into_future());

    // One client. A clone is the same one.
    let client = reqwest::Client::new();
    let clone = client.clone();
    let answer = clone.post(format!("{url}/unload")).send().await?;
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    assert_eq!(answer.headers()["stamped"], "yes");
    assert_eq!(*harbour.unloaded.borrow(), 0, "and not yet done");
    let get = async |path| client.get(format!("{url}/{path}")).send().await;
    assert_eq!(get("buoy").await?.headers().get("stamped"), None);
    assert_eq!(get("fog").await?.status(), late);
    assert_eq!(get("log").await?.text().await?, "Vega Lyra");
    let events = "data: Vega \n\ndata: Lyra\n\n";
    assert_eq!(get("radio").await?.text().await?, events);
    println!("served: answers, a stream, events");

    // And what it tears down comes after the server's end.
    closing.cancel();
    server.await??;
    harbour.work.close();
    harbour.lights_on.send_replace(true);
    harbour.work.wait().await;
    assert_eq!(*harbour.unloaded.borrow(), 1);
    println!("closed: the work that was accepted is done");
    Ok(())
}
// ANCHOR_END: all
