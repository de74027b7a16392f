// ANCHOR: all
use axum::http::HeaderMap;
use axum::{Json, Router, routing::post};

// ANCHOR: broken
async fn order(Json(_grams): Json<u32>, _headers: HeaderMap) {}

fn app() -> Router {
    Router::new().route("/labels", post(order))
}
// ANCHOR_END: broken

fn main() {
    app();
}
// ANCHOR_END: all
