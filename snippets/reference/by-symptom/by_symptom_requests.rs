// ANCHOR: all
use std::time::Duration;

use axum::{Json, Router, http::StatusCode, routing::get};
use reqwest::{Client, RequestBuilder, Result};
use serde_json::json;
use tokio::net::TcpListener;

async fn grams(request: RequestBuilder) -> Result<u32> {
    request.send().await?.error_for_status()?.json().await
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let app = Router::new()
        .route("/parcels/7", get(async || Json(json!({ "grams": 500 }))))
        .route("/parcels/8", get(async || StatusCode::SERVICE_UNAVAILABLE));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let carrier = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, app).await });
    let silent = TcpListener::bind("127.0.0.1:0").await?; // never accepts
    let silent = format!("http://{}", silent.local_addr()?);
    let closed = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;

    let client = Client::new();
    for (request, whole) in [
        (
            client.get("carrier.example/parcels/7"),
            "builder error: relative URL without a base",
        ),
        (
            client.get(format!("http://{closed}")),
            "error sending request: client error (Connect): tcp connect \
             error: Connection refused",
        ),
        (
            client.get(silent).timeout(Duration::from_millis(100)),
            "error sending request: operation timed out",
        ),
        (
            client.get(format!("{carrier}/parcels/7")),
            "error decoding response body: invalid type: map, expected u32",
        ),
        (
            client.get(format!("{carrier}/parcels/8")),
            "HTTP status server error (503 Service Unavailable)",
        ),
    ] {
        let error = grams(request).await.unwrap_err().without_url();
        // Its own text is the part before the first colon.
        assert_eq!(Some(&*error.to_string()), whole.split(": ").next());
        // The cause is in its sources. `{:#}` of anyhow prints them all.
        let chain = format!("{:#}", anyhow::Error::from(error));
        assert!(chain.starts_with(whole), "{chain}");
        println!("{whole}");
    }
    Ok(())
}
// ANCHOR_END: all
