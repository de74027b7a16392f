// ANCHOR: all
use std::panic;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use axum::extract::Path;
use axum::{Router, http::StatusCode, routing::get};
use reqwest::Client;
use tokio::net::TcpListener;
use tower_http::catch_panic::CatchPanicLayer;

static PANICS: AtomicUsize = AtomicUsize::new(0);

// ANCHOR: broken
async fn event(Path(index): Path<usize>) -> &'static str {
    ["in transit", "delivered"][index] // panics
}
// ANCHOR_END: broken

async fn serve(app: Router) -> std::io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/events", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(url)
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let hook = panic::take_hook();
    panic::set_hook(Box::new(move |panic| match panic.payload_as_str() {
        Some(text) if text.starts_with("index out of bounds") => {
            PANICS.fetch_add(1, Relaxed);
        }
        _ => hook(panic),
    }));
    let client = Client::builder().no_proxy().build()?;
    let app = Router::new().route("/events/{index}", get(event));

    let url = serve(app.clone()).await?;
    let error = client.get(format!("{url}/2")).send().await;
    let error = error.expect_err("no response").without_url();
    println!("broken: {error}");
    assert!(error.is_request() && error.status().is_none());
    let response = client.get(format!("{url}/1")).send().await?;
    assert_eq!(response.text().await?, "delivered", "the server goes on");

    // ANCHOR: fixed
    let app = app.layer(CatchPanicLayer::new());
    // ANCHOR_END: fixed
    let url = serve(app).await?;
    let response = client.get(format!("{url}/2")).send().await?;
    let status = response.status();
    println!("fixed: {status}: {}", response.text().await?);
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    let response = client.get(format!("{url}/1")).send().await?;
    assert_eq!(response.text().await?, "delivered");
    assert_eq!(PANICS.load(Relaxed), 2);
    Ok(())
}
// ANCHOR_END: all
