// ANCHOR: all
use std::future::IntoFuture;

use axum::{Json, Router, http::StatusCode, routing::get};
use reqwest::Client;
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpListener;

// ANCHOR: broken
#[derive(Deserialize)]
struct Place {
    city: Option<String>,
}

async fn city(client: &Client, url: &str) -> anyhow::Result<Option<String>> {
    let response = client.get(url).send().await?;
    let place: Place = serde_json::from_slice(&response.bytes().await?)?;
    Ok(place.city)
}
// ANCHOR_END: broken

/// As `city`, with the status checked.
async fn city_checked(
    client: &Client,
    url: &str,
) -> anyhow::Result<Option<String>> {
    // ANCHOR: fixed
    let response = client.get(url).send().await?.error_for_status()?;
    let place: Place = serde_json::from_slice(&response.bytes().await?)?;
    // ANCHOR_END: fixed
    Ok(place.city)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let sorry = || async {
        let body = json!({ "error": "database is down" });
        (StatusCode::INTERNAL_SERVER_ERROR, Json(body))
    };
    let known = || async { Json(json!({ "city": "Bergen" })) };
    let app = Router::new().route("/7", get(sorry)).route("/8", get(known));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(axum::serve(listener, app).into_future());
    let client = Client::builder().no_proxy().build()?;

    let city = city(&client, &format!("{url}/7")).await?;
    println!("without the check: {city:?}");
    assert_eq!(city, None);

    let error = city_checked(&client, &format!("{url}/7")).await;
    let error: reqwest::Error = error.expect_err("500").downcast()?;
    let error = error.without_url();
    println!("with the check: {error}");
    assert!(error.is_status());
    let city = city_checked(&client, &format!("{url}/8")).await?;
    assert_eq!(city.as_deref(), Some("Bergen"));
    Ok(())
}
// ANCHOR_END: all
