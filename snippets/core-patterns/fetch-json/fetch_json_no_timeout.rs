// ANCHOR: all
use std::time::Duration;

use reqwest::Client;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::time::{Instant, timeout};

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    // The kernel accepts the connection, no program ever reads from it.
    let silent = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", silent.local_addr()?);

    // ANCHOR: broken
    // Broken: no timeout was set, so there is none. We stop after a day.
    let day = Duration::from_secs(24 * 60 * 60);
    let start = Instant::now();
    let answer = timeout(day, Client::new().get(&url).send()).await;
    assert!(answer.is_err(), "still waiting");
    println!("after {:?}: still waiting", start.elapsed());
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: the whole exchange, body included, has ten seconds.
    let client = Client::builder().timeout(Duration::from_secs(10)).build()?;
    let start = Instant::now();
    let error = client.get(&url).send().await.unwrap_err();
    assert!(error.is_timeout());
    println!("after {:?}: {}", start.elapsed(), error.without_url());
    // ANCHOR_END: fixed

    // ANCHOR: hangs_up
    // Both futures are dropped, and with them their connections: the server
    // reads what was sent, and then the end.
    for _ in 0..2 {
        let mut request = String::new();
        let (mut connection, _) = silent.accept().await?;
        connection.read_to_string(&mut request).await?;
        assert!(request.starts_with("GET / HTTP/1.1"));
    }
    println!("both have hung up");
    // ANCHOR_END: hangs_up
    Ok(())
}
// ANCHOR_END: all
