// ANCHOR: all
// ANCHOR: order
use std::num::NonZeroU32;

use axum::Json;
use axum::extract::Path;
use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

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

impl From<PathRejection> for ApiError {
    fn from(rejection: PathRejection) -> Self {
        ApiError(rejection.status(), rejection.body_text(), rejection.into())
    }
}

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        ApiError(rejection.status(), rejection.body_text(), rejection.into())
    }
}
// ANCHOR_END: order

// What the first program has, and clients that make mistakes.
use std::time::Duration;

use axum::extract::DefaultBodyLimit;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::{Router, routing::post};
use reqwest::Client;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout};
use tower_http::timeout::TimeoutLayer;

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

/// A response whose text is that of the status.
fn plain(status: StatusCode) -> Response {
    (status, Json(json!({ "detail": status.canonical_reason() })))
        .into_response()
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: app
    let app = Router::new()
        .route("/parcels/{id}/labels", post(order))
        .fallback(async || plain(StatusCode::NOT_FOUND))
        .method_not_allowed_fallback(async || {
            plain(StatusCode::METHOD_NOT_ALLOWED)
        })
        .layer(DefaultBodyLimit::max(100))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::REQUEST_TIMEOUT,
            Duration::from_secs(5),
        ));
    // ANCHOR_END: app
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let url = format!("http://{address}/parcels");
    tokio::spawn(async move { axum::serve(listener, app).await });

    let client = Client::builder().no_proxy().build()?;
    let labels = format!("{url}/7/labels");
    let json = "application/json";
    let long = format!(r#"{{"grams":500{:100}}}"#, "");
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
        ("route", &format!("{url}/7"), json, "{}", 404),
    ] {
        let request = client.post(url).header(CONTENT_TYPE, kind);
        let response = request.body(body.to_owned()).send().await?;
        assert_eq!(response.status(), status, "{case}");
        let text = response.text().await?;
        println!("{case}: {status} {text}");
        let key = if status == 201 { "grams" } else { "detail" };
        assert!(text.starts_with(&format!(r#"{{"{key}":"#)), "{text}");
    }
    let response = client.put(&labels).send().await?;
    let status = response.status().as_u16();
    let text = response.text().await?;
    println!("method: {status} {text}");
    assert_eq!(
        (status, &text[..]),
        (405, r#"{"detail":"Method Not Allowed"}"#)
    );

    // A client that stops within the body, and one that stops before it.
    let start = Instant::now();
    let mut stream = TcpStream::connect(address).await?;
    let head = "POST /parcels/7/labels HTTP/1.1\r\nhost: a\r\n\
                content-type: application/json\r\ncontent-length: 9\r\n\r\n{";
    stream.write_all(head.as_bytes()).await?;
    let mut response = [0; 1024];
    let length = stream.read(&mut response).await?;
    let response = String::from_utf8_lossy(&response[..length]);
    println!("half a body: {}", &response[9..12]);
    assert!(response.starts_with("HTTP/1.1 408 "));
    assert!(response.ends_with("\r\n\r\n"), "it has no body");
    assert_eq!(start.elapsed().as_secs(), 5);

    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(&head.as_bytes()[..40]).await?;
    let hour = Duration::from_secs(3600);
    let end = timeout(hour, stream.read(&mut [0])).await;
    println!("half a head: no response in an hour");
    assert!(end.is_err());
    Ok(())
}
// ANCHOR_END: all
