// ANCHOR: all
use std::io::Write;

use anyhow::Context;
use tokio::fs::File;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, BufReader};

// ANCHOR: lines
async fn revenue(input: impl AsyncBufRead + Unpin) -> anyhow::Result<u64> {
    let mut lines = input.lines();
    let mut cents = 0;
    while let Some(order) = lines.next_line().await? {
        let price = order.rsplit(';').next().and_then(|it| it.parse().ok());
        let price: u64 = price.with_context(|| format!("price of {order}"))?;
        cents += price;
    }
    Ok(cents)
}
// ANCHOR_END: lines

fn peak_mb() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kb = peak.and_then(|peak| peak.trim().strip_suffix(" kB"));
    Ok(kb.context("no VmHWM")?.parse::<u64>()? / 1000)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    // 1 MB in lines of 250 bytes.
    let orders = format!("7;{:242};2499\n", "lamp").repeat(4_000);
    let mut export = tempfile::NamedTempFile::new()?;
    for _ in 0..100 {
        export.write_all(orders.as_bytes())?;
    }
    assert_eq!(export.path().metadata()?.len(), 100_000_000);

    let file = File::open(export.path()).await?;
    let file = BufReader::with_capacity(256 * 1024, file);
    let cents = revenue(file).await?;
    println!("100 MB of orders: {cents} cents");
    assert_eq!(cents, 400_000 * 2_499);
    let peak = peak_mb()?;
    assert!(peak < 64, "{peak} MB");

    let error = revenue(&b"7;lamp;2499\n8;sofa;free"[..]).await.unwrap_err();
    assert_eq!(error.to_string(), "price of 8;sofa;free");
    println!("no {error}");
    Ok(())
}
// ANCHOR_END: all
