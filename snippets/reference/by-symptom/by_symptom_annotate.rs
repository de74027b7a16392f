// ANCHOR: all
use std::fmt;

async fn repair() -> Result<&'static str, fmt::Error> {
    Ok("bike")
}

#[tokio::main]
async fn main() {
    let both = async {
        let bikes = [repair().await?, repair().await?];
        Ok(bikes)
    };
    println!("{}", both.await.is_ok());
}
// ANCHOR_END: all
