// ANCHOR: all
use std::{future::pending, io, time::Duration};

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, body::Body, http::StatusCode, routing::get};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_stream::StreamExt;

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
        (status, Json(json!({ "error": self.to_string() }))).into_response()
    }
}

async fn book(
    State((client, warehouse)): State<(reqwest::Client, String)>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ShopError> {
    let url = format!("{warehouse}/{id}");
    Ok(Json(client.get(url).send().await?.error_for_status()?.json().await?))
}

const BOOK: &str = r#"{"title":"Emma"}"#;
const FAILED: &str = r#"{"error":"the warehouse has failed"}"#;

/// The warehouse on its bad days.
async fn stock(Path(day): Path<String>) -> Response {
    if let Ok(status) = StatusCode::from_bytes(day.as_bytes()) {
        return (status, BOOK).into_response();
    }
    let parts: Vec<Result<&str, &str>> = match &day[..] {
        "garbage" => vec![Ok("<h1>Emma</h1>")],
        "slowly" => vec![Ok(&BOOK[..9]), Ok(&BOOK[9..])],
        "hangs-up" => vec![Ok(&BOOK[..9]), Err("power cut")],
        "drips" => vec![Ok(" "); 1000],
        _ => pending().await,
    };
    let parts = tokio_stream::iter(parts).throttle(Duration::from_millis(40));
    Body::from_stream(parts).into_response()
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let warehouse = serve(Router::new().route("/{id}", get(stock))).await?;
    let half = reqwest::get(format!("{warehouse}/hangs-up")).await?;
    assert!(half.status().is_success() && half.text().await.is_err());
    for (limit, days, status, body) in [
        (9.0, "200 slowly", 200, BOOK),
        (9.0, "404", 404, r#"{"error":"no such book"}"#),
        (9.0, "401 429 500 503 garbage hangs-up", 502, FAILED),
        (0.2, "never drips", 504, r#"{"error":"the warehouse is slow"}"#),
    ] {
        let limit = Duration::from_secs_f32(limit);
        let client = reqwest::Client::builder().timeout(limit).build()?;
        let app = Router::new().route("/books/{id}", get(book));
        let shop = serve(app.with_state((client, warehouse.clone()))).await?;
        for day in days.split(' ') {
            let answer = reqwest::get(format!("{shop}/books/{day}")).await?;
            assert_eq!(answer.status(), status, "{day}");
            assert_eq!(answer.text().await?, body, "{day}");
        }
        println!("{days}: {status} {body}");
    }
    Ok(())
}

async fn serve(app: Router) -> io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(format!("http://{address}"))
}
// ANCHOR_END: all
