// ANCHOR: all
use std::num::NonZeroU32;

use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::extract::{DefaultBodyLimit, Path};
use axum::http::{StatusCode, header::CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, routing::post};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    copies: NonZeroU32,
}

// ANCHOR: handler
async fn order(
    book: Result<Path<u64>, PathRejection>,
    order: Result<Json<Order>, JsonRejection>,
) -> Result<(StatusCode, Json<Value>), ShopError> {
    let (Path(book), Json(order)) = (book?, order?);
    let receipt = json!({ "book": book, "copies": order.copies });
    Ok((StatusCode::CREATED, Json(receipt)))
}
// ANCHOR_END: handler

// ANCHOR: error
#[derive(Debug, thiserror::Error)]
enum ShopError {
    #[error("{}", .0.body_text())]
    Path(#[from] PathRejection),
    #[error("{}", .0.body_text())]
    Body(#[from] JsonRejection),
    #[error("no such page")]
    NoSuchPage,
    #[error("not this way")]
    NotThisWay,
}

impl IntoResponse for ShopError {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::Path(rejection) => rejection.status(),
            Self::Body(rejection) => rejection.status(),
            Self::NoSuchPage => StatusCode::NOT_FOUND,
            Self::NotThisWay => StatusCode::METHOD_NOT_ALLOWED,
        };
        (status, Json(json!({ "error": self.to_string() }))).into_response()
    }
}
// ANCHOR_END: error

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: app
    let app = Router::new()
        .route("/books/{id}/orders", post(order))
        .fallback(async || ShopError::NoSuchPage)
        .method_not_allowed_fallback(async || ShopError::NotThisWay)
        .layer(DefaultBodyLimit::max(100));
    // ANCHOR_END: app
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let shop = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, app).await });

    let client = reqwest::Client::new();
    let orders = format!("{shop}/books/7/orders");
    let answer = client.get(&orders).send().await?;
    assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.text().await?, r#"{"error":"not this way"}"#);

    let json = "application/json";
    let long = " ".repeat(101);
    for (url, kind, body, status) in [
        (&orders, json, r#"{ "copies": 2 }"#, 201),
        (&orders, json, "{ copies: 2 }", 400),
        (&orders, json, r#"{ "copies": 0 }"#, 422),
        (&orders, json, r#"{ "copies": "2" }"#, 422),
        (&orders, json, r#"{ "copies": 2, "gift": 1 }"#, 422),
        (&orders, json, "{}", 422),
        (&orders, json, &long, 413),
        (&orders, "text/plain", r#"{ "copies": 2 }"#, 415),
        (&format!("{shop}/books/emma/orders"), json, "{}", 400),
        (&format!("{shop}/books"), json, "{}", 404),
    ] {
        let request = client.post(url).header(CONTENT_TYPE, kind);
        let answer = request.body(body.to_owned()).send().await?;
        assert_eq!(answer.status(), status, "{body}");
        let answer: Value = answer.json().await?;
        assert_eq!(answer["error"].is_string(), status != 201);
        println!("{status} {answer}");
    }
    Ok(())
}
// ANCHOR_END: all
