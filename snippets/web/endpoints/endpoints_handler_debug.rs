// ANCHOR: all
use axum::Json;
use axum::http::HeaderMap;

// ANCHOR: broken
#[axum::debug_handler]
async fn order(Json(_grams): Json<u32>, _headers: HeaderMap) {}
// ANCHOR_END: broken

fn main() {
    let _ = order;
}
// ANCHOR_END: all
