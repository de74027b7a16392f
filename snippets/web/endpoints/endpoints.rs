// ANCHOR: all
use std::{io, time::Duration};

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, http::StatusCode, routing::get};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::net::TcpListener;

// ANCHOR: state
#[derive(Clone)]
struct Shop {
    client: reqwest::Client,
    warehouse: String,
}
// ANCHOR_END: state

// ANCHOR: book
#[derive(Serialize, Deserialize)]
struct Book {
    title: String,
    copies: u32,
}
// ANCHOR_END: book

// ANCHOR: handler
// ANCHOR: signature
async fn book(
    State(shop): State<Shop>,
    Path(id): Path<u64>,
) -> Result<Json<Book>, ShopError> {
    // ANCHOR_END: signature
    // ANCHOR: ask
    let url = format!("{}/books/{id}", shop.warehouse);
    let response = shop.client.get(url).send().await?.error_for_status()?;
    Ok(Json(response.json().await?))
    // ANCHOR_END: ask
}
// ANCHOR_END: handler

// ANCHOR: error
#[derive(Debug, thiserror::Error)]
enum ShopError {
    #[error("no such book")]
    NoSuchBook(#[source] reqwest::Error),
    #[error("the warehouse is slow")]
    Slow(#[source] reqwest::Error),
    #[error("the warehouse has failed")]
    Failed(#[source] reqwest::Error),
}

impl From<reqwest::Error> for ShopError {
    fn from(error: reqwest::Error) -> Self {
        match error.status() {
            Some(StatusCode::NOT_FOUND) => Self::NoSuchBook(error),
            _ if error.is_timeout() => Self::Slow(error),
            _ => Self::Failed(error),
        }
    }
}

impl IntoResponse for ShopError {
    fn into_response(self) -> Response {
        let status = match self {
            Self::NoSuchBook(_) => StatusCode::NOT_FOUND,
            Self::Slow(_) => StatusCode::GATEWAY_TIMEOUT,
            Self::Failed(_) => StatusCode::BAD_GATEWAY,
        };
        tracing::warn!(error = ?self); // with its source: for you alone
        (status, Json(json!({ "error": self.to_string() }))).into_response()
    }
}
// ANCHOR_END: error

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: app
    let client =
        reqwest::Client::builder().timeout(Duration::from_secs(5)).build()?;
    let shop = Shop { client, warehouse: start_warehouse().await? };
    // ANCHOR: router
    let app = Router::new().route("/books/{id}", get(book)).with_state(shop);
    // ANCHOR_END: router
    let shop = serve(app).await?;
    // ANCHOR_END: app

    for (id, status) in [("7", 200), ("8", 404), ("emma", 400)] {
        let answer = reqwest::get(format!("{shop}/books/{id}")).await?;
        assert_eq!(answer.status(), status);
        println!("{id}: {status} {}", answer.text().await?);
    }
    Ok(())
}

async fn serve(app: Router) -> io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(format!("http://{address}"))
}

/// Knows one book.
async fn start_warehouse() -> io::Result<String> {
    let emma = get(|| async { Json(json!({ "title": "Emma", "copies": 3 })) });
    serve(Router::new().route("/books/7", emma)).await
}
// ANCHOR_END: all
