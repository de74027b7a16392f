// ANCHOR: all
use std::time::Duration;

use reqwest::{Client, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep};

const SECOND: Duration = Duration::from_secs(1);

/// Sends as many chunks as the path says, one a second, and keeps silent.
async fn serve(mut stream: TcpStream) -> anyhow::Result<()> {
    let mut head = [0; 1024];
    let length = stream.read(&mut head).await?;
    let head = String::from_utf8_lossy(&head[..length]);
    let count: usize = head.split(['/', ' ']).nth(2).unwrap_or("0").parse()?;
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 10000\r\n\r\n";
    stream.write_all(head.as_bytes()).await?;
    for _ in 0..count {
        stream.write_all(b"#").await?;
        sleep(SECOND).await;
    }
    stream.read(&mut [0]).await?; // until the client closes
    Ok(())
}

/// Waits before each chunk. After how many seconds it was cut off.
async fn cut_off(mut response: Response, pause: Duration) -> u64 {
    let start = Instant::now();
    let error = loop {
        sleep(pause).await;
        match response.chunk().await {
            Ok(chunk) => assert!(chunk.is_some(), "the whole body"),
            Err(error) => break error,
        }
    };
    assert!(error.is_timeout());
    start.elapsed().as_secs()
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

    let url = format!("{url}/");
    for (chunks, after) in [(4000, 10)] {
        let url = format!("{url}{chunks}");
        // ANCHOR: broken
        let response = client.get(url).send().await?;
        // ANCHOR_END: broken
        let seconds = cut_off(response, Duration::ZERO).await;
        println!("timeout of 10 s: cut off after {seconds} s");
        assert_eq!(seconds, after);
    }
    for (case, chunks, pause, after) in [
        ("data flows", 4000, 0, 3600),
        ("silent after 100 s", 100, 0, 104),
        ("read every 6 s", 4000, 6, 12),
    ] {
        let url = format!("{url}{chunks}");
        // ANCHOR: fixed
        let hour = Duration::from_secs(3600);
        let response = client.get(url).timeout(hour).send().await?;
        // ANCHOR_END: fixed
        let seconds = cut_off(response, pause * SECOND).await;
        println!("timeout of an hour, {case}: cut off after {seconds} s");
        assert_eq!(seconds, after);
    }
    Ok(())
}
// ANCHOR_END: all
