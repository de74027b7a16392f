// ANCHOR: all
use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::Path;
use axum::{Json, Router, http::StatusCode, routing::get};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;

// ANCHOR: fetch
// ANCHOR: parcel
#[derive(Debug, PartialEq, Deserialize)]
struct Parcel {
    id: u64,
    city: String,
    delivered: bool,
}
// ANCHOR_END: parcel

// ANCHOR: get
async fn fetch_parcel(
    client: &reqwest::Client,
    courier: &str,
    id: u64,
) -> reqwest::Result<Parcel> {
    let url = format!("{courier}/parcels/{id}");
    let response = client.get(url).send().await?.error_for_status()?;
    response.json().await
}
// ANCHOR_END: get
// ANCHOR_END: fetch

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: courier
    let courier = format!("http://{}", start_courier().await?);
    // ANCHOR_END: courier
    // ANCHOR: client
    let client = reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(2))
        .timeout(Duration::from_secs(10))
        .build()?;
    // ANCHOR_END: client

    // ANCHOR: found
    let parcel = fetch_parcel(&client, &courier, 7).await?;
    let expected = Parcel { id: 7, city: "Bergen".into(), delivered: false };
    assert_eq!(parcel, expected);
    println!("parcel {} is in {}", parcel.id, parcel.city);
    // ANCHOR_END: found

    // ANCHOR: missing
    let error = fetch_parcel(&client, &courier, 8).await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::NOT_FOUND));
    println!("parcel 8: {}", error.without_url());
    // ANCHOR_END: missing
    Ok(())
}

/// The courier's server: knows one parcel, runs until the program ends.
async fn start_courier() -> std::io::Result<SocketAddr> {
    async fn parcel(Path(id): Path<u64>) -> Result<Json<Value>, StatusCode> {
        let parcel = json!({ "id": id, "city": "Bergen", "delivered": false });
        if id == 7 { Ok(Json(parcel)) } else { Err(StatusCode::NOT_FOUND) }
    }
    let app = Router::new().route("/parcels/{id}", get(parcel));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(address)
}
// ANCHOR_END: all
