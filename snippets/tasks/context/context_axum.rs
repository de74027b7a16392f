// ANCHOR: all
use std::convert::Infallible;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use axum::body::Body;
use axum::extract::Request;
use axum::http::HeaderValue;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::{Extension, Router, routing::get};
use futures::stream::{self, StreamExt};
use tokio::net::TcpListener;
use uuid::Uuid;

struct Context {
    request_id: String,
}

tokio::task_local! {
    static CONTEXT: Option<Arc<Context>>;
}

fn current() -> Option<Arc<Context>> {
    CONTEXT.try_get().ok().flatten()
}

// ANCHOR: open
/// A middleware: each request has a context, as an argument and in a scope.
async fn open(mut request: Request, next: Next) -> Response {
    let request_id = Uuid::new_v4().to_string();
    let header = HeaderValue::from_str(&request_id).expect("it is ASCII");
    let context = Arc::new(Context { request_id });
    request.extensions_mut().insert(Arc::clone(&context));
    let mut response = CONTEXT.scope(Some(context), next.run(request)).await;
    response.headers_mut().insert("x-request-id", header);
    response
}

/// A handler that gets the context as an argument.
async fn label(Extension(context): Extension<Arc<Context>>) -> String {
    context.request_id.clone()
}
// ANCHOR_END: open

/// The request's id, far below a handler.
fn id() -> String {
    match current() {
        Some(context) => context.request_id.clone(),
        None => "no context".to_owned(),
    }
}

async fn status() -> String {
    id()
}

// ANCHOR: broken
/// The server polls the body after the handler has returned.
async fn events() -> Body {
    let events = stream::iter([()]).map(|()| Ok::<_, Infallible>(id()));
    Body::from_stream(events)
}
// ANCHOR_END: broken

// ANCHOR: fixed
async fn events_in_scope() -> Body {
    let context = current();
    let events = stream::iter([()]).map(move |()| {
        CONTEXT.sync_scope(context.clone(), || Ok::<_, Infallible>(id()))
    });
    Body::from_stream(events)
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    // ANCHOR: router
    let app = Router::new()
        .route("/label", get(label))
        .route("/status", get(status))
        .route("/events", get(events))
        .route("/events-in-scope", get(events_in_scope))
        .layer(from_fn(open)) // around the routes above
        .route("/outside", get(label))
        .route("/outside-status", get(status));
    // ANCHOR_END: router
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let server = tokio::spawn(async move { axum::serve(listener, app).await });

    for (path, known) in [
        ("/label", true),
        ("/status", true),
        ("/events", false),
        ("/events-in-scope", true),
    ] {
        let response = reqwest::get(format!("{url}{path}")).await?;
        let header = response.headers().get("x-request-id");
        let id = header.context("no header")?.to_str()?.to_owned();
        let body = response.text().await?;
        let body = body.replace(&id, "the request's id");
        println!("{path}: {body}");
        let expected = if known { "the request's id" } else { "no context" };
        assert_eq!(body, expected);
    }
    let label = reqwest::get(format!("{url}/outside")).await?.status();
    let response = reqwest::get(format!("{url}/outside-status")).await?;
    let status = response.text().await?;
    println!("outside of the layer: {label}; {status}");
    assert_eq!((label.as_u16(), status.as_str()), (500, "no context"));
    server.abort();
    Ok(())
}
// ANCHOR_END: all
