use std::time::Duration;

use futures::{SinkExt, StreamExt};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_util::codec::{Framed, LinesCodec, LinesCodecError};

// ANCHOR: server
/// A reply for each line. A line is at most 80 bytes long.
async fn serve(stream: TcpStream) -> Result<(), LinesCodecError> {
    let codec = LinesCodec::new_with_max_length(80);
    let mut lines = Framed::new(stream, codec);
    while let Some(parcel) = lines.next().await {
        lines.send(format!("parcel {}: delivered", parcel?)).await?;
    }
    Ok(())
}
// ANCHOR_END: server

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: client
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?; // with the port that was chosen
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await?;
        let first = tokio::spawn(serve(stream));
        let (stream, _) = listener.accept().await?;
        anyhow::Ok((first.await?, serve(stream).await))
    });

    let connect = TcpStream::connect(address);
    let stream = timeout(Duration::from_secs(5), connect).await??;
    assert!(!stream.nodelay()?, "asyncio sets TCP_NODELAY, tokio does not");
    let (reader, mut writer) = stream.into_split();
    writer.write_all(b"7\n8").await?;
    writer.shutdown().await?; // ends the requests, not the replies
    let mut lines = BufReader::new(reader).lines();
    while let Some(line) = lines.next_line().await? {
        println!("{line}");
    }

    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(&[b'7'; 81]).await?;
    assert_eq!(stream.read(&mut [0]).await?, 0, "the server has closed");
    let (first, second) = server.await??;
    assert!(first.is_ok());
    println!("81 bytes: {}", second.expect_err("a line that is too long"));
    // ANCHOR_END: client
    assert_eq!(LinesCodec::new().max_length(), usize::MAX, "no limit");
    Ok(())
}
