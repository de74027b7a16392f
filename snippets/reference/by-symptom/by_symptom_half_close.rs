// ANCHOR: all
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// Reads a request to its end, and sends its length.
async fn serve(listener: TcpListener) -> std::io::Result<()> {
    loop {
        let (mut conn, _) = listener.accept().await?;
        tokio::spawn(async move {
            let mut request = Vec::new();
            conn.read_to_end(&mut request).await?;
            conn.write_all(request.len().to_string().as_bytes()).await
        });
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let server = tokio::spawn(serve(listener));

    // Broken: the server waits for the end of the request, and the client for
    // the response.
    let mut conn = TcpStream::connect(address).await?;
    conn.write_all(b"parcel 7").await?;
    let mut response = String::new();
    let read = conn.read_to_string(&mut response);
    let read = timeout(Duration::from_millis(100), read).await;
    println!("open: {}", read.unwrap_err());

    // Fixed: the client has sent all, and reads on.
    let mut conn = TcpStream::connect(address).await?;
    conn.write_all(b"parcel 7").await?;
    conn.shutdown().await?;
    conn.read_to_string(&mut response).await?;
    println!("shut down: {response}");
    assert_eq!(response, "8");

    // A write half of `into_split` shuts down when it is dropped.
    let conn = TcpStream::connect(address).await?;
    let (mut reader, mut writer) = conn.into_split();
    writer.write_all(b"parcel 10").await?;
    drop(writer);
    response.clear();
    reader.read_to_string(&mut response).await?;
    println!("into_split: {response}");
    assert_eq!(response, "9");

    // A half of `tokio::io::split` does not.
    let conn = TcpStream::connect(address).await?;
    let (mut reader, mut writer) = tokio::io::split(conn);
    writer.write_all(b"parcel 7").await?;
    drop(writer);
    let read = reader.read_to_string(&mut response);
    let read = timeout(Duration::from_millis(100), read).await;
    println!("split: {}", read.unwrap_err());

    server.abort();
    Ok(())
}
// ANCHOR_END: all
