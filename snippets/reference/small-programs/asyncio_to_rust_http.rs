use axum::extract::{FromRef, State};
use axum::http::HeaderName;
use axum::response::IntoResponse;
use axum::routing::post;
use axum::{Json, Router, middleware};
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpListener;

// ANCHOR: parts
#[derive(Clone)]
struct App {
    limit: Limit,
}

#[derive(Clone, Copy)]
struct Limit(u32);

/// A handler may ask for a part of the state.
impl FromRef<App> for Limit {
    fn from_ref(app: &App) -> Limit {
        app.limit
    }
}

#[derive(Deserialize)]
struct Body {
    grams: i64,
}

/// A `Parcel` is always valid: a JSON value that is none gets 422.
#[derive(Deserialize)]
#[serde(try_from = "Body")]
struct Parcel(u32);

impl TryFrom<Body> for Parcel {
    type Error = &'static str;

    fn try_from(body: Body) -> Result<Parcel, &'static str> {
        u32::try_from(body.grams).map(Parcel).map_err(|_| "no weight")
    }
}

async fn add(
    State(Limit(limit)): State<Limit>,
    Json(Parcel(grams)): Json<Parcel>,
) -> Json<bool> {
    Json(grams <= limit)
}
// ANCHOR_END: parts

async fn stamp(
    request: axum::extract::Request,
    next: middleware::Next,
) -> impl IntoResponse {
    ([(HeaderName::from_static("stamp"), "yes")], next.run(request).await)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: layer
    let app = Router::new()
        .route("/parcels", post(add))
        .layer(middleware::from_fn(stamp)) // for the routes above it
        .route("/light", post(add))
        .with_state(App { limit: Limit(500) });
    // ANCHOR_END: layer
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let server = tokio::spawn(async { axum::serve(listener, app).await });
    let client = reqwest::Client::builder().no_proxy().build()?;
    for (path, grams, status, stamped) in [
        ("parcels", 90, 200, true),
        ("light", 900, 200, false),
        ("parcels", -1, 422, true),
    ] {
        let request = client.post(format!("{url}/{path}"));
        let response = request.json(&json!({ "grams": grams })).send().await?;
        assert_eq!(response.status(), status);
        assert_eq!(response.headers().contains_key("stamp"), stamped);
        println!("{path}, {status}: {}", response.text().await?);
    }
    server.abort();
    assert!(server.await.is_err_and(|error| error.is_cancelled()));
    Ok(())
}
