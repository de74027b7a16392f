// ANCHOR: all
use std::time::Duration;

use axum::{Json, Router, http::StatusCode, routing::get};
use reqwest::{Client, RequestBuilder, Result};
use serde_json::json;
use tokio::net::TcpListener;

async fn price(request: RequestBuilder) -> Result<u32> {
    request.send().await?.error_for_status()?.json().await
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let app = Router::new()
        .route("/bell", get(async || Json(json!({ "price": 7 }))))
        .route("/lamp", get(async || StatusCode::SERVICE_UNAVAILABLE));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let shop = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, app).await });
    let deaf = TcpListener::bind("127.0.0.1:0").await?; // never accepts
    let deaf = format!("http://{}", deaf.local_addr()?);
    let closed = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;

    let client = Client::new();
    let limit = Duration::from_millis(100);
    for (request, text, whole) in [
        (
            client.get(format!("http://{closed}")),
            "error sending request",
            "error sending request: client error (Connect): tcp connect \
             error: Connection refused",
        ),
        (
            client.get(deaf).timeout(limit),
            "error sending request",
            "error sending request: operation timed out",
        ),
        (
            client.get(format!("{shop}/bell")),
            "error decoding response body",
            "error decoding response body: invalid type: map, expected u32",
        ),
        (
            client.get(format!("{shop}/lamp")),
            "HTTP status server error (503 Service Unavailable)",
            "HTTP status server error (503 Service Unavailable)",
        ),
    ] {
        let error = price(request).await.unwrap_err().without_url();
        assert_eq!(error.to_string(), text);
        // The reason is in its sources. `{:#}` prints them all.
        let chain = format!("{:#}", anyhow::Error::from(error));
        assert!(chain.starts_with(whole), "{chain}");
        println!("{whole}");
    }
    Ok(())
}
// ANCHOR_END: all
