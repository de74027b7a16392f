// ANCHOR: all
use axum::extract::Request;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS as HEADERS,
    ACCESS_CONTROL_ALLOW_METHODS as METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN as ORIGIN,
};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::{Router, body::Body, routing::post};
use tower::ServiceExt;

/// The pages of one origin may send JSON. (`CorsLayer` can do more.)
async fn cors(request: Request, next: Next) -> Response {
    let mut response = match *request.method() {
        Method::OPTIONS => StatusCode::NO_CONTENT.into_response(),
        _ => next.run(request).await,
    };
    let mut allow = |name, value| {
        response.headers_mut().insert(name, HeaderValue::from_static(value))
    };
    allow(ORIGIN, "https://parcels.example");
    allow(METHODS, "POST");
    allow(HEADERS, "content-type");
    response
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let app = Router::new().route("/labels", post(async || "label 7"));
    let with_cors = app.clone().layer(from_fn(cors));
    for (name, app) in [("broken", app), ("fixed", with_cors)] {
        for method in ["OPTIONS", "POST"] {
            let request = Request::builder().method(method).uri("/labels");
            let sent = app.clone().oneshot(request.body(Body::empty())?);
            let response = sent.await?;
            let allowed = response.headers().contains_key(ORIGIN);
            println!("{name}: {method} {} {allowed}", response.status());
            assert_eq!(allowed, name == "fixed");
            assert_eq!(
                response.status().is_success(),
                allowed || method == "POST"
            );
        }
    }
    Ok(())
}
// ANCHOR_END: all
