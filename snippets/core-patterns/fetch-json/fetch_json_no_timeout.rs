// ANCHOR: all
use std::time::Duration;

use reqwest::Client;
use tokio::net::TcpListener;
use tokio::time::{Instant, timeout};

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    // The kernel accepts the connection, and nothing answers.
    let silent = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", silent.local_addr()?);
    let day = Duration::from_secs(24 * 60 * 60);

    let builder = Client::builder().no_proxy();
    // ANCHOR: broken
    let client = builder.build()?;
    let sent = client.get(&url).send();
    // ANCHOR_END: broken
    assert!(timeout(day, sent).await.is_err());
    println!("without a timeout: it waits for a day");

    let builder = Client::builder().no_proxy();
    // ANCHOR: fixed
    let builder = builder.timeout(Duration::from_secs(10));
    let client = builder.build()?;
    let sent = client.get(&url).send();
    // ANCHOR_END: fixed
    let start = Instant::now();
    let error = timeout(day, sent).await?.expect_err("a timeout");
    assert!(error.is_timeout());
    let seconds = start.elapsed().as_secs();
    println!("with a timeout: {} after {seconds} s", error.without_url());
    assert_eq!(seconds, 10);
    Ok(())
}
// ANCHOR_END: all
