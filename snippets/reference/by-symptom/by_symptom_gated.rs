// ANCHOR: all
use tower_http::cors::CorsLayer;

fn main() {
    println!("{:?}", CorsLayer::new());
}
// ANCHOR_END: all
