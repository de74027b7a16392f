// ANCHOR: all
use std::error::Error;
use std::time::Duration;

use axum::{Json, Router, http::StatusCode, routing::get};
use serde::Deserialize;
use serde_json::{Error as JsonError, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

#[derive(Debug, Deserialize)]
struct Parcel {
    city: String,
}

async fn fetch_parcel(
    client: &reqwest::Client,
    url: String,
) -> reqwest::Result<Parcel> {
    client.get(url).send().await?.error_for_status()?.json().await
}

// ANCHOR: advice
fn advice(error: &reqwest::Error) -> &'static str {
    if error.is_connect() {
        "never sent: repeat"
    } else if error.is_timeout() {
        "perhaps done: repeat only what is harmless twice"
    } else if error.source().is_some_and(|source| source.is::<JsonError>()) {
        "report it: the courier's API has changed"
    } else if error.is_decode() || error.is_body() || error.is_request() {
        "cut off: repeat only what is harmless twice"
    } else if error.status().is_some_and(passes) {
        "repeat later"
    } else {
        "do not repeat"
    }
}

fn passes(status: StatusCode) -> bool {
    status.is_server_error() || [408, 429].contains(&status.as_u16())
}
// ANCHOR_END: advice

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let app = Router::new()
        .route("/ok", get(|| async { Json(json!({ "city": "Bergen" })) }))
        .route("/busy", get(|| async { StatusCode::SERVICE_UNAVAILABLE }))
        .route("/often", get(|| async { StatusCode::TOO_MANY_REQUESTS }))
        .route("/html", get(|| async { "<h1>Welcome</h1>" }))
        .route("/other", get(|| async { Json(json!({ "town": "Bergen" })) }));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let courier = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, app).await });
    let deaf = TcpListener::bind("127.0.0.1:0").await?; // never accepts
    let silent = deaf.local_addr()?;
    let cutting = TcpListener::bind("127.0.0.1:0").await?;
    let cut = cutting.local_addr()?;
    let cutter = tokio::spawn(async move {
        let half = "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{";
        for sent in [half, ""] {
            let (mut connection, _) = cutting.accept().await?;
            let request = connection.read(&mut [0; 1024]).await?;
            assert!(request > 0);
            connection.write_all(sent.as_bytes()).await?;
            connection.shutdown().await?;
        }
        std::io::Result::Ok(())
    });
    let closed = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;

    let client = reqwest::Client::builder()
        .timeout(Duration::from_millis(200))
        .build()?;
    let good = fetch_parcel(&client, format!("{courier}/ok")).await?;
    assert_eq!(good.city, "Bergen");
    for (what, url, expected) in [
        ("no such page", format!("{courier}/lost"), "do not repeat"),
        ("503", format!("{courier}/busy"), "repeat later"),
        ("429", format!("{courier}/often"), "repeat later"),
        ("no JSON", format!("{courier}/html"), "report it"),
        ("other fields", format!("{courier}/other"), "report it"),
        ("half a body", format!("http://{cut}"), "cut off"),
        ("no head", format!("http://{cut}"), "cut off"),
        ("no server", format!("http://{closed}"), "never sent"),
        ("no answer", format!("http://{silent}"), "perhaps done"),
    ] {
        let error = fetch_parcel(&client, url).await.unwrap_err();
        assert!(advice(&error).starts_with(expected), "{what}: {error:?}");
        println!("{what:12}  {}", advice(&error));
    }
    cutter.await??;
    Ok(())
}
// ANCHOR_END: all
