// ANCHOR: all
use axum::http::HeaderMap;
use axum::{Json, Router, routing::post};

// ANCHOR: broken
async fn order(Json(grams): Json<u32>, headers: HeaderMap) {
    println!("{grams} g, key: {:?}", headers.get("idempotency-key"));
}

fn app() -> Router {
    Router::new().route("/labels", post(order))
}
// ANCHOR_END: broken

fn main() {
    app();
}
// ANCHOR_END: all
