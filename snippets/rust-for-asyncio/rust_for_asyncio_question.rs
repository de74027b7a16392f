// ANCHOR: broken
use std::num::ParseIntError;

#[tokio::main]
async fn main() {
    let city = track("7").await?;
    println!("{city}");
}

async fn track(parcel: &str) -> Result<String, ParseIntError> {
    let number: usize = parcel.parse()?;
    Ok(format!("parcel {number} is in Oslo"))
}
// ANCHOR_END: broken
