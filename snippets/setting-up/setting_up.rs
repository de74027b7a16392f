// ANCHOR: all
#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let courier = tokio::spawn(async { "a parcel" });
    let delivered = courier.await?;
    assert_eq!(delivered, "a parcel");
    println!("delivered: {delivered}");
    Ok(())
}
// ANCHOR_END: all
