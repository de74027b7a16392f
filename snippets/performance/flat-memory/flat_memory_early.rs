// ANCHOR: all
use std::io;
use std::path::Path;

use futures::TryStreamExt;
use tokio::fs::File;
use tokio::io::{
    AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader,
};
use tokio::net::TcpListener;
use tokio_util::io::StreamReader;

// ANCHOR: find
async fn first_with(
    what: &str,
    input: impl AsyncBufRead + Unpin,
) -> io::Result<Option<String>> {
    let mut lines = input.lines();
    while let Some(order) = lines.next_line().await? {
        if order.contains(what) {
            return Ok(Some(order));
        }
    }
    Ok(None)
} // `lines` is dropped here, and with it the file or the connection
// ANCHOR_END: find

/// Whether this process has the file open, as Linux lists it.
fn is_open(path: &Path) -> io::Result<bool> {
    let mut open = std::fs::read_dir("/proc/self/fd")?.flatten();
    Ok(open.any(|file| file.path().read_link().is_ok_and(|to| to == path)))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().canonicalize()?.join("export");
    std::fs::write(&path, "7;lamp\n8;sofa\n9;desk\n")?;

    let file = File::open(&path).await?;
    assert!(is_open(&path)?);
    let order = first_with("sofa", BufReader::new(file)).await?;
    assert_eq!(order.as_deref(), Some("8;sofa"));
    assert!(!is_open(&path)?);
    println!("file: closed");

    // An export without an end. The shop writes until the client hangs up.
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/export", listener.local_addr()?);
    let shop = tokio::spawn(async move {
        let (mut client, _) = listener.accept().await?;
        assert!(client.read(&mut [0; 1024]).await? > 0, "the request");
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n7;lamp\n").await?;
        loop {
            client.write_all(b"8;sofa\n").await?;
        }
    });
    let body = reqwest::get(url).await?.error_for_status()?.bytes_stream();
    let body = StreamReader::new(body.map_err(io::Error::other));
    let order = first_with("sofa", body).await?;
    assert_eq!(order.as_deref(), Some("8;sofa"));
    let served: io::Result<()> = shop.await?;
    assert!(served.is_err(), "the shop cannot write any more");
    println!("body: the connection is closed");
    Ok(())
}
// ANCHOR_END: all
