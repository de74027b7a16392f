// ANCHOR: all
use std::time::Duration;

use reqwest::{Client, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep};

const SECOND: Duration = Duration::from_secs(1);

/// Sends 2,000 bytes, one a second. Keeps silent after as many as the path
/// says.
async fn serve(mut stream: TcpStream) -> anyhow::Result<()> {
    let mut head = [0; 1024];
    let length = stream.read(&mut head).await?;
    let head = String::from_utf8_lossy(&head[..length]);
    let count: usize = head.split(['/', ' ']).nth(2).unwrap_or("0").parse()?;
    let head =
        "HTTP/1.1 200 OK\r\ncontent-length: 2000\r\nconnection: close\r\n\r\n";
    stream.write_all(head.as_bytes()).await?;
    for _ in 0..count {
        sleep(SECOND).await;
        stream.write_all(b"#").await?;
    }
    let _ = stream.read_u8().await; // until the client closes
    Ok(())
}

/// Waits before each chunk. How the body ends, and after how many seconds.
async fn read(mut response: Response, pause: Duration) -> (&'static str, u64) {
    let start = Instant::now();
    let end = loop {
        sleep(pause).await;
        match response.chunk().await {
            Ok(Some(_)) => {}
            Ok(None) => break "complete",
            Err(error) => {
                assert!(error.is_timeout());
                break "cut off";
            }
        }
    };
    (end, start.elapsed().as_secs())
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            tokio::spawn(serve(stream));
        }
    });
    let client = Client::builder()
        .no_proxy()
        .read_timeout(5 * SECOND)
        .timeout(10 * SECOND)
        .build()?;

    let list = format!("{url}/2000");
    // ANCHOR: broken
    let response = client.get(&list).send().await?;
    // ANCHOR_END: broken
    let (end, seconds) = read(response, Duration::ZERO).await;
    println!("timeout of 10 s: {end} after {seconds} s");
    assert_eq!((end, seconds), ("cut off", 10));

    for (case, bytes, pause, end, after) in [
        ("data flows", 2000, 0, "complete", 2000),
        ("silent after 100 s", 100, 0, "cut off", 105),
        ("read every 6 s", 2000, 6, "cut off", 12),
    ] {
        let list = format!("{url}/{bytes}");
        // ANCHOR: fixed
        let hour = Duration::from_secs(3600);
        let response = client.get(&list).timeout(hour).send().await?;
        // ANCHOR_END: fixed
        let actual = read(response, pause * SECOND).await;
        println!("timeout of an hour, {case}: {end} after {after} s");
        assert_eq!(actual, (end, after), "{case}");
    }
    Ok(())
}
// ANCHOR_END: all
