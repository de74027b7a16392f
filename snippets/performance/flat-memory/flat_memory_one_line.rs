// ANCHOR: all
use std::io::Write;

use futures::TryStreamExt;
use tokio::fs::File;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio_util::codec::{FramedRead, LinesCodec, LinesCodecError};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let mut export = tempfile::NamedTempFile::new()?;
    writeln!(export, "7;lamp")?;
    writeln!(export, "{}", "8;sofa,".repeat(1_000_000))?;
    writeln!(export, "9;desk")?;

    // ANCHOR: broken
    // Broken: a line is as long as whoever wrote it wants it to be.
    let mut lines = BufReader::new(File::open(export.path()).await?).lines();
    let mut longest = 0;
    while let Some(order) = lines.next_line().await? {
        longest = longest.max(order.capacity());
    }
    assert!(longest >= 7_000_000);
    // ANCHOR_END: broken
    println!("lines: one takes more than 7 MB");

    // ANCHOR: fixed
    // Fixed: no line is longer than a thousand bytes.
    let codec = LinesCodec::new_with_max_length(1_000);
    let file = File::open(export.path()).await?;
    let mut lines = FramedRead::new(file, codec);
    assert_eq!(lines.try_next().await?.as_deref(), Some("7;lamp"));
    let error = lines.try_next().await.unwrap_err();
    assert!(matches!(error, LinesCodecError::MaxLineLengthExceeded));
    assert!(lines.read_buffer().capacity() < 64_000);
    assert_eq!(lines.try_next().await?, None);
    // ANCHOR_END: fixed
    println!("codec: {error}");
    Ok(())
}
// ANCHOR_END: all
