// ANCHOR: all
use std::io::{Error, ErrorKind::ConnectionReset};
use std::time::Duration;

use reqwest::{Client, Result};
use tokio::time::{Instant, pause};
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

async fn programme(theatre: String) -> Result<String> {
    let limit = Duration::from_secs(10);
    let client = Client::builder().timeout(limit).build()?;
    client.get(theatre).send().await?.text().await
}

// ANCHOR: slow
#[tokio::test]
async fn after_ten_seconds_it_gives_up() {
    let theatre = MockServer::start().await;
    let hour = Duration::from_secs(60 * 60);
    let slow = ResponseTemplate::new(200).set_delay(hour);
    let get = Mock::given(method("GET")).respond_with(slow).expect(1);
    let question = get.mount_as_scoped(&theatre).await;

    let start = Instant::now();
    let answer = tokio::spawn(programme(theatre.uri()));
    question.wait_until_satisfied().await; // the theatre has been asked
    pause(); // from here on there is nothing to wait for but the limit
    let error = answer.await.expect("no panic").unwrap_err();
    assert!(error.is_timeout());
    let took = start.elapsed().as_secs();
    assert!((10..20).contains(&took), "ten, and the time to ask: {took}");
}
// ANCHOR_END: slow

// ANCHOR: reset
#[tokio::test]
async fn a_line_that_is_cut_is_an_error() {
    let theatre = MockServer::start().await;
    let cut = |_: &wiremock::Request| Error::from(ConnectionReset);
    let get = Mock::given(method("GET")).respond_with_err(cut);
    get.expect(1).mount(&theatre).await;
    let error = programme(theatre.uri()).await.unwrap_err();
    assert!(error.is_request() && error.status().is_none());
}
// ANCHOR_END: reset
// ANCHOR_END: all
