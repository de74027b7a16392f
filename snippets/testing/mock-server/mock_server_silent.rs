// ANCHOR: all
use std::time::Duration;

use reqwest::{Client, Result};
use tokio::time::{Instant, pause};
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

async fn track(carrier: String) -> Result<String> {
    let timeout = Duration::from_secs(10);
    let client = Client::builder().no_proxy().timeout(timeout).build()?;
    client.get(carrier).send().await?.text().await
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: fixed
    let carrier = MockServer::start().await;
    let hour = Duration::from_secs(3_600);
    let silent = ResponseTemplate::new(200).set_delay(hour);
    let mock = Mock::given(method("GET")).respond_with(silent).expect(1);
    let request = mock.mount_as_scoped(&carrier).await;

    let start = Instant::now();
    let response = tokio::spawn(track(carrier.uri()));
    request.wait_until_satisfied().await; // the request has arrived
    pause(); // only the timeout is left to wait for
    let result = response.await?;
    // ANCHOR_END: fixed

    assert!(result.is_err_and(|error| error.is_timeout()));
    let waited = start.elapsed().as_secs();
    assert!((10..20).contains(&waited), "10 s, and the time of the request");
    assert_eq!(request.received_requests().await.len(), 1);
    println!("silent: a timeout");
    Ok(())
}
// ANCHOR_END: all
