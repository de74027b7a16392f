// ANCHOR: all
use std::error::Error;
use std::time::Duration;

use reqwest::Client;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

const IDLE: Duration = Duration::from_secs(5);
const MS: Duration = Duration::from_millis(1);

/// Closes the connection when it is idle for 5 s. What the client has sent
/// meanwhile is not read: the end takes 10 ms to reach it.
async fn serve(mut stream: TcpStream) -> std::io::Result<()> {
    let mut head = [0; 1024];
    while timeout(IDLE, stream.read(&mut head)).await.is_ok() {
        let created = b"HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(created).await?;
    }
    sleep(10 * MS).await;
    let _ = stream.try_read(&mut head); // so that it ends without a reset
    Ok(())
}

/// Buys 20 labels, one every 5 s. Why some were not bought.
async fn buy(client: &Client, url: &str) -> Vec<String> {
    let mut causes = Vec::new();
    for _ in 0..20 {
        if let Err(error) = client.post(url).send().await {
            assert!(error.is_request() && !error.is_connect());
            let mut cause: &dyn Error = &error;
            while let Some(source) = cause.source() {
                cause = source;
            }
            causes.push(cause.to_string());
        }
        sleep(IDLE + 5 * MS).await;
    }
    causes
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

    let builder = Client::builder().no_proxy();
    // ANCHOR: broken
    let client = builder.build()?; // keeps an idle connection for 90 s
    // ANCHOR_END: broken
    let causes = buy(&client, &url).await;
    println!("90 s: {} of 20 fail: {}", causes.len(), causes[0]);
    assert_eq!(causes.len(), 10);

    let builder = Client::builder().no_proxy();
    // ANCHOR: fixed
    let builder = builder.pool_idle_timeout(Duration::from_secs(4));
    let client = builder.build()?;
    // ANCHOR_END: fixed
    let causes = buy(&client, &url).await;
    println!("4 s: {} of 20 fail", causes.len());
    assert!(causes.is_empty());

    let builder = Client::builder().no_proxy().pool_max_idle_per_host(0);
    let causes = buy(&builder.build()?, &url).await;
    println!("no kept connections: {} of 20 fail", causes.len());
    assert!(causes.is_empty());
    Ok(())
}
// ANCHOR_END: all
