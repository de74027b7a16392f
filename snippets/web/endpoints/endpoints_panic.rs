// ANCHOR: all
use std::panic::AssertUnwindSafe;

use axum::extract::{Path, Request};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::{Router, http::StatusCode, routing::get};
use futures::FutureExt;
use reqwest::Client;
use tokio::net::TcpListener;

// ANCHOR: broken
async fn event(Path(index): Path<usize>) -> &'static str {
    ["in transit", "delivered"][index] // panics
}
// ANCHOR_END: broken

// ANCHOR: fixed
async fn catch(request: Request, next: Next) -> Response {
    let response = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    response.unwrap_or_else(|_panic| {
        let detail = "the service has failed";
        (StatusCode::INTERNAL_SERVER_ERROR, detail).into_response()
    })
}
// ANCHOR_END: fixed

async fn serve(app: Router) -> std::io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/events", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(url)
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let client = Client::builder().no_proxy().build()?;
    let app = Router::new().route("/events/{index}", get(event));

    let url = serve(app.clone()).await?;
    let error = client.get(format!("{url}/2")).send().await;
    let error = error.expect_err("no response").without_url();
    println!("broken: {error}");
    assert!(error.is_request() && error.status().is_none());
    let response = client.get(format!("{url}/1")).send().await?;
    assert_eq!(response.text().await?, "delivered", "the server goes on");

    // ANCHOR: fixed_layer
    let app = app.layer(from_fn(catch));
    // ANCHOR_END: fixed_layer
    let url = serve(app).await?;
    let response = client.get(format!("{url}/2")).send().await?;
    let status = response.status();
    println!("fixed: {status}: {}", response.text().await?);
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    let response = client.get(format!("{url}/1")).send().await?;
    assert_eq!(response.text().await?, "delivered");
    Ok(())
}
// ANCHOR_END: all
