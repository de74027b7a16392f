// ANCHOR: all
use std::future::IntoFuture;
use std::time::Duration;

use axum::serve::ListenerExt;
use axum::{Router, routing::get};
use reqwest::{Client, Response};
use tokio::net::TcpListener;

const SECOND: Duration = Duration::from_secs(1);

/// Sends an export of 3 MB, and the status of a parcel.
async fn carrier() -> anyhow::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let listener = listener.tap_io(|stream| {
        stream.set_nodelay(true).expect("a socket");
    });
    let app = Router::new()
        .route("/export", get(async || vec![b'.'; 3_000_000]))
        .route("/parcels/7", get(async || "in transit"));
    tokio::spawn(axum::serve(listener, app).into_future());
    Ok(url)
}

async fn export(client: &Client, url: &str) -> reqwest::Result<Response> {
    client.get(format!("{url}/export")).send().await
}

/// The status of a parcel, or `None` if it does not come in time.
async fn track(client: &Client, url: &str) -> reqwest::Result<Option<String>> {
    let response = client.get(format!("{url}/parcels/7")).send().await?;
    match response.text().await {
        Err(error) if error.is_timeout() => Ok(None),
        text => Ok(Some(text?)),
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let url = &carrier().await?;
    // The carrier speaks HTTP/2 without TLS.
    let builder = Client::builder().no_proxy().http2_prior_knowledge();
    let client = &builder.read_timeout(5 * SECOND).build()?;

    // Two bodies need 4 MB, and are no obstacle yet.
    let two = (export(client, url).await?, export(client, url).await?);
    assert!(track(client, url).await?.is_some());
    drop(two);

    // ANCHOR: broken
    let mut exports = Vec::new();
    for _ in 0..3 {
        exports.push(export(client, url).await?);
    }
    let status = track(client, url).await?;
    // ANCHOR_END: broken
    println!("3 bodies are not read: {status:?}");
    assert_eq!(status, None);
    drop(exports);

    // ANCHOR: fixed
    let mut exports = Vec::new();
    for _ in 0..3 {
        exports.push(export(client, url).await?.bytes().await?);
    }
    let status = track(client, url).await?;
    // ANCHOR_END: fixed
    println!("{} bodies are read: {status:?}", exports.len());
    assert_eq!(exports.len(), 3);
    assert_eq!(status.as_deref(), Some("in transit"));
    Ok(())
}
// ANCHOR_END: all
