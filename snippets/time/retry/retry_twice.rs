// ANCHOR: all
use std::future::IntoFuture;
use std::mem;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::{Router, extract::State, routing::post};
use backon::{ExponentialBuilder, Retryable};
use reqwest::Client;
use tokio::time::Instant;
use uuid::Uuid;

const ATTEMPT: Duration = Duration::from_secs(3);

fn is_transient(error: &reqwest::Error) -> bool {
    match error.status() {
        Some(status) => matches!(status.as_u16(), 408 | 429 | 500 | 502..=504),
        None => error.is_request(),
    }
}

// ANCHOR: broken
async fn buy(
    client: &Client,
    url: &str,
    backoff: ExponentialBuilder,
) -> reqwest::Result<()> {
    let attempt = async || client.post(url).send().await?.error_for_status();
    attempt.retry(backoff).when(is_transient).await?;
    Ok(())
}
// ANCHOR_END: broken

// ANCHOR: fixed
/// The caller has stored `key` with the purchase before.
async fn buy_once(
    client: &Client,
    url: &str,
    key: &str,
    backoff: ExponentialBuilder,
) -> reqwest::Result<()> {
    let attempt = async || {
        let request = client.post(url).header("Idempotency-Key", key);
        request.send().await?.error_for_status()
    };
    attempt.retry(backoff).when(is_transient).await?;
    Ok(())
}
// ANCHOR_END: fixed

/// The labels that were bought, by their keys.
type Labels = Arc<Mutex<Vec<Option<HeaderValue>>>>;

/// Buys a label per key. The response to the first request is lost.
async fn answer(
    State(labels): State<Labels>,
    headers: HeaderMap,
) -> StatusCode {
    let mut labels = labels.lock().expect("no holder panics");
    let is_first = labels.is_empty();
    let key = headers.get("idempotency-key").cloned();
    if key.is_none() || !labels.contains(&key) {
        labels.push(key);
    }
    if is_first { StatusCode::BAD_GATEWAY } else { StatusCode::CREATED }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let labels = Labels::default();
    let app = Router::new().route("/labels", post(answer));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/labels", listener.local_addr()?);
    let server = axum::serve(listener, app.with_state(labels.clone()));
    tokio::spawn(server.into_future());
    let client = Client::builder().no_proxy().timeout(ATTEMPT).build()?;
    let bought = || {
        let mut labels = labels.lock().expect("no holder panics");
        mem::take(&mut *labels).len()
    };

    let backoff = ExponentialBuilder::new().with_max_times(2).with_jitter();
    let new_key = || Uuid::new_v4().to_string();
    buy(&client, &url, backoff).await?;
    let count = bought();
    println!("one purchase without a key: {count} labels");
    assert_eq!(count, 2);

    let attempt = async || {
        let request = client.post(&url).header("Idempotency-Key", new_key());
        request.send().await?.error_for_status()
    };
    attempt.retry(backoff).await?;
    let count = bought();
    println!("a new key for each attempt: {count} labels");
    assert_eq!(count, 2);

    buy_once(&client, &url, &new_key(), backoff).await?;
    let count = bought();
    println!("one purchase with a key: {count} label");
    assert_eq!(count, 1);

    for _ in 0..2 {
        buy_once(&client, &url, &new_key(), backoff).await?;
    }
    assert_eq!(bought(), 2, "two purchases, two keys");

    let (start, unknown) = (Instant::now(), format!("{url}/unknown"));
    let result = buy_once(&client, &unknown, &new_key(), backoff).await;
    assert!(result.is_err() && start.elapsed() < Duration::from_millis(100));
    Ok(())
}
// ANCHOR_END: all
