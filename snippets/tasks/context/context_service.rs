// ANCHOR: all
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use anyhow::Result;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::{Extension, Router, routing::get};
use futures::stream::{self, StreamExt};
use tokio::net::TcpListener;

/// An argument for whoever asks for it, and a task-local for the others.
#[derive(Clone, Copy)]
struct Case(u32);

tokio::task_local! {
    static CASE: Case;
}

// ANCHOR: middleware
async fn open(mut request: Request, next: Next) -> Response {
    static LAST: AtomicU32 = AtomicU32::new(6);
    let case = Case(LAST.fetch_add(1, Relaxed) + 1);
    request.extensions_mut().insert(case);
    CASE.scope(case, next.run(request)).await
}
// ANCHOR_END: middleware

/// Far from any handler.
fn line() -> String {
    match CASE.try_get() {
        Ok(Case(number)) => format!("case {number}"),
        Err(error) => error.to_string(),
    }
}

// ANCHOR: handlers
async fn argument(Extension(Case(number)): Extension<Case>) -> String {
    format!("case {number}")
}

async fn deep_down() -> String {
    line()
}
// ANCHOR_END: handlers

// ANCHOR: broken
/// Broken: the body is asked for when the handler has returned.
async fn file() -> Body {
    let sheets = stream::iter([()]).map(|()| line());
    Body::from_stream(sheets.map(std::io::Result::Ok))
}
// ANCHOR_END: broken

// ANCHOR: fixed
/// Fixed: the stream has the number with it.
async fn file_of(Extension(case): Extension<Case>) -> Body {
    let sheets = stream::iter([()]).map(move |()| CASE.sync_scope(case, line));
    Body::from_stream(sheets.map(std::io::Result::Ok))
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let app = Router::new()
        .route("/argument", get(argument))
        .route("/deep", get(deep_down))
        .route("/file", get(file))
        .route("/file-of", get(file_of))
        .layer(from_fn(open))
        .route("/outside", get(argument)); // of the middleware
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let court = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, app).await });

    for (path, expected) in [
        ("/argument", "case 7"),
        ("/deep", "case 8"),
        ("/file", "task-local value not set"),
        ("/file-of", "case 10"),
    ] {
        let answer = reqwest::get(format!("{court}{path}")).await?;
        let answer = answer.text().await?;
        println!("{path}: {answer}");
        assert_eq!(answer, expected);
    }
    let outside = reqwest::get(format!("{court}/outside")).await?.status();
    println!("/outside: {outside}");
    assert_eq!(outside, 500);
    Ok(())
}
// ANCHOR_END: all
