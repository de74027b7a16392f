// ANCHOR: all
use std::io::{Read, Seek};
use std::sync::Mutex;

use axum::response::{IntoResponse, Response};
use axum::{Router, extract::State, http::StatusCode, routing::get};
use reqwest::Client;
use tokio::net::TcpListener;

async fn ask(client: Client) -> reqwest::Result<String> {
    let url = "http://warehouse.internal/books/7?key=k3y";
    client.get(url).send().await?.text().await
}

// ANCHOR: broken
// Broken: the client is told whatever the library has to say.
async fn leaky(
    State(client): State<Client>,
) -> Result<String, (StatusCode, String)> {
    let answer = ask(client).await;
    answer.map_err(|error| (StatusCode::BAD_GATEWAY, error.to_string()))
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: the text is yours. The cause is kept, and goes to the log.
async fn tight(State(client): State<Client>) -> Result<String, ShopError> {
    Ok(ask(client).await?)
}

#[derive(Debug, thiserror::Error)]
#[error("the warehouse has failed")]
struct ShopError(#[from] reqwest::Error);

impl IntoResponse for ShopError {
    fn into_response(self) -> Response {
        tracing::warn!(error = ?self);
        (StatusCode::BAD_GATEWAY, self.to_string()).into_response()
    }
}
// ANCHOR_END: fixed

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut log = tempfile::tempfile()?;
    let lines = Mutex::new(log.try_clone()?);
    tracing_subscriber::fmt().with_ansi(false).with_writer(lines).init();

    let closed = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    let client = Client::builder()
        .resolve("warehouse.internal", closed)
        .no_proxy()
        .build()?;
    let app = Router::new()
        .route("/leaky", get(leaky))
        .route("/tight", get(tight))
        .with_state(client);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let shop = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, app).await });

    let told = reqwest::get(format!("{shop}/leaky")).await?.text().await?;
    println!("leaky: {told}");
    assert!(told.contains("warehouse.internal") && told.contains("k3y"));

    let told = reqwest::get(format!("{shop}/tight")).await?.text().await?;
    println!("tight: {told}");
    assert_eq!(told, "the warehouse has failed");

    let mut logged = String::new();
    log.rewind()?;
    log.read_to_string(&mut logged)?;
    assert!(logged.contains("warehouse.internal") && logged.contains("k3y"));
    assert!(logged.contains("ConnectionRefused"));
    Ok(())
}
// ANCHOR_END: all
