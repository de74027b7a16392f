// ANCHOR: all
use axum::Json;
use axum::http::HeaderMap;

// ANCHOR: broken
#[axum::debug_handler]
async fn order(Json(grams): Json<u32>, headers: HeaderMap) {
    // ANCHOR_END: broken
    println!("{grams} g, key: {:?}", headers.get("idempotency-key"));
}

fn main() {
    let _ = order;
}
// ANCHOR_END: all
