// ANCHOR: all
async fn track(parcel: u32) -> anyhow::Result<String> {
    Ok(format!("parcel {parcel} is in Oslo"))
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let task = tokio::spawn(track(7));
    let status = task.await??;
    assert_eq!(status, "parcel 7 is in Oslo");
    println!("{status}");
    Ok(())
}
// ANCHOR_END: all
