// ANCHOR: all
use axum::{Json, Router, http::StatusCode, routing::get};
use serde_json::{Value, json};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let sorry = || async {
        let body = json!({ "error": "database is down", "city": null });
        (StatusCode::INTERNAL_SERVER_ERROR, Json(body))
    };
    let app = Router::new().route("/parcels/7", get(sorry));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/parcels/7", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, app).await });

    // ANCHOR: broken
    // Broken: the status is never looked at, and any JSON is good enough.
    let parcel: Value = reqwest::get(&url).await?.json().await?;
    println!("without the check: city = {}", parcel["city"]);
    assert_eq!(parcel["city"], Value::Null);
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: a 4xx or 5xx is an error before anybody reads the body.
    let error = reqwest::get(&url).await?.error_for_status().unwrap_err();
    println!("with the check: {}", error.without_url());
    // ANCHOR_END: fixed
    Ok(())
}
// ANCHOR_END: all
