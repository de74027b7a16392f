// ANCHOR: all
use std::panic::AssertUnwindSafe;

use axum::extract::{Path, Request};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::{Router, http::StatusCode, routing::get};
use futures::FutureExt;
use tokio::net::TcpListener;

const TITLES: [&str; 2] = ["Emma", "Persuasion"];

async fn title(Path(shelf): Path<usize>) -> &'static str {
    TITLES[shelf] // panics for a shelf that is not there
}

// ANCHOR: catch
async fn catch(request: Request, next: Next) -> Response {
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    answer.unwrap_or_else(|_panic| {
        let sorry = "the shop has failed";
        (StatusCode::INTERNAL_SERVER_ERROR, sorry).into_response()
    })
}
// ANCHOR_END: catch

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let app = Router::new().route("/shelves/{shelf}", get(title));

    // ANCHOR: broken
    // Broken: the panic ends the connection, without an answer.
    let shop = serve(app.clone()).await?;
    let error = reqwest::get(format!("{shop}/shelves/2")).await.unwrap_err();
    println!("{}", error.without_url());
    let answer = reqwest::get(format!("{shop}/shelves/1")).await?;
    assert_eq!(answer.text().await?, "Persuasion", "the shop goes on");
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: the panic ends the request, with an answer.
    let shop = serve(app.layer(from_fn(catch))).await?;
    let answer = reqwest::get(format!("{shop}/shelves/2")).await?;
    assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
    println!("500 {}", answer.text().await?);
    // ANCHOR_END: fixed
    Ok(())
}

async fn serve(app: Router) -> std::io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(format!("http://{address}"))
}
// ANCHOR_END: all
