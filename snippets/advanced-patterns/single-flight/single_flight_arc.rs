// ANCHOR: all
use std::sync::Arc;

// ANCHOR: broken
async fn shared_quote() -> Result<u32, Arc<anyhow::Error>> {
    Ok(1250)
}

async fn label() -> anyhow::Result<String> {
    let price = shared_quote().await?;
    Ok(format!("{price} cents"))
}
// ANCHOR_END: broken

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    println!("{}", label().await?);
    Ok(())
}
// ANCHOR_END: all
