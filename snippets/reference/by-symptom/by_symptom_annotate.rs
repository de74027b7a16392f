// ANCHOR: all
use std::fmt;

async fn track() -> Result<&'static str, fmt::Error> {
    Ok("in transit")
}

#[tokio::main]
async fn main() {
    let both = async {
        let parcels = [track().await?, track().await?];
        Ok(parcels)
    };
    println!("{}", both.await.is_ok());
}
// ANCHOR_END: all
