use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tokio::io::{BufReader, BufWriter, duplex};
use tokio::time::timeout;

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: write
    // `duplex` is a connection in memory, here with room for 4 bytes.
    let (mut client, _server) = duplex(4);
    let write = client.write_all(b"parcel 7\n");
    let hour = Duration::from_secs(3600);
    assert!(timeout(hour, write).await.is_err(), "the peer does not read");
    println!("write_all: waits for the peer");

    for flush in [true, false] {
        let (client, mut server) = duplex(64);
        let mut writer = BufWriter::new(client);
        writer.write_all(b"7\n").await?;
        if flush {
            writer.flush().await?;
        }
        drop(writer);
        let mut received = String::new();
        server.read_to_string(&mut received).await?;
        println!("flush: {flush}, received: {received:?}");
        assert_eq!(received.is_empty(), !flush);
    }
    // ANCHOR_END: write

    // ANCHOR: until
    let mut reader = BufReader::new(&b"7;8"[..]);
    let mut events = Vec::new();
    assert_eq!(reader.read_until(b';', &mut events).await?, 2);
    assert_eq!(events, b"7;");
    events.clear();
    assert_eq!(reader.read_until(b';', &mut events).await?, 1);
    assert_eq!(events, b"8", "the end, and no delimiter");
    println!("read_until: {}", events.escape_ascii());
    // ANCHOR_END: until
    Ok(())
}
