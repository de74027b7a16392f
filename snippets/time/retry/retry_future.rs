// ANCHOR: all
async fn track(parcel: u32) -> Result<&'static str, String> {
    Err(format!("parcel {parcel}: 503 Service Unavailable"))
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    // ANCHOR: broken
    let attempt = track(7);
    for _ in 0..3 {
        if attempt.await.is_ok() {
            break;
        }
    }
    // ANCHOR_END: broken
}
// ANCHOR_END: all
