// ANCHOR: all
use std::num::NonZeroU32;

use axum::Json;
use axum::extract::Path;
use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

// ANCHOR: order
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Order {
    grams: NonZeroU32,
}

async fn order(
    parcel: Result<Path<u32>, PathRejection>,
    order: Result<Json<Order>, JsonRejection>,
) -> Result<(StatusCode, Json<Order>), ApiError> {
    let (Path(_parcel), Json(order)) = (parcel?, order?);
    Ok((StatusCode::CREATED, Json(order)))
}

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        ApiError(rejection.status(), rejection.body_text(), rejection.into())
    }
}
// ANCHOR_END: order

impl From<PathRejection> for ApiError {
    fn from(rejection: PathRejection) -> Self {
        ApiError(rejection.status(), rejection.body_text(), rejection.into())
    }
}

// What the first program has, and clients that make mistakes.
use axum::extract::DefaultBodyLimit;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::{Router, routing::post};
use reqwest::Client;
use serde_json::json;
use tokio::net::TcpListener;

struct ApiError(StatusCode, String, anyhow::Error);

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let ApiError(status, detail, cause) = self;
        if status.is_server_error() {
            tracing::error!(%status, "{detail}: {cause:#}");
        }
        (status, Json(json!({ "detail": detail }))).into_response()
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let app = Router::new()
        .route("/parcels/{id}/labels", post(order))
        .layer(DefaultBodyLimit::max(16 * 1024));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/parcels", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, app).await });

    let client = Client::builder().no_proxy().build()?;
    let labels = format!("{url}/7/labels");
    let json = "application/json";
    let long = format!(r#"{{"grams":500{:16384}}}"#, "");
    for (case, url, kind, body, status) in [
        ("right", &labels, json, r#"{"grams":500}"#, 201),
        ("no JSON", &labels, json, "{grams:500}", 400),
        ("zero", &labels, json, r#"{"grams":0}"#, 422),
        ("a string", &labels, json, r#"{"grams":"500"}"#, 422),
        ("too many", &labels, json, r#"{"grams":500,"cm":9}"#, 422),
        ("too few", &labels, json, "{}", 422),
        ("too long", &labels, json, &long, 413),
        ("text", &labels, "text/plain", r#"{"grams":500}"#, 415),
        ("path", &format!("{url}/x/labels"), json, "{}", 400),
    ] {
        let request = client.post(url).header(CONTENT_TYPE, kind);
        let response = request.body(body.to_owned()).send().await?;
        assert_eq!(response.status(), status, "{case}");
        let text = response.text().await?;
        println!("{case}: {status} {text}");
        let key = if status == 201 { "grams" } else { "detail" };
        assert!(text.starts_with(&format!(r#"{{"{key}":"#)), "{text}");
    }
    Ok(())
}
// ANCHOR_END: all
