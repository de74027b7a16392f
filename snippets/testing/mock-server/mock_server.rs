// ANCHOR: lib
use std::time::Duration;

use reqwest::{Client, Error, Result};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;
use wiremock::matchers::{body_json, header_exists, method, path};
use wiremock::{Mock, MockBuilder, MockServer, ResponseTemplate};

// ANCHOR: keep
#[derive(Debug, PartialEq, Deserialize)]
pub struct Label {
    pub number: usize,
}

/// Buys a label. The key names the purchase: a retry has the same key.
pub async fn buy(
    client: &Client,
    carrier: &str,
    key: Uuid,
    parcel: u32,
) -> Result<Label> {
    // ANCHOR: request
    let attempt = async || {
        let request = client.post(format!("{carrier}/labels"));
        let request = request.header("Idempotency-Key", key.to_string());
        let request = request.json(&json!({ "parcel": parcel }));
        let response = request.timeout(Duration::from_secs(3)).send().await?;
        response.error_for_status()?.json().await
    };
    // ANCHOR_END: request
    // ANCHOR: retry
    match attempt().await {
        Err(error) if may_succeed_later(&error) => attempt().await,
        result => result,
    }
    // ANCHOR_END: retry
}

fn may_succeed_later(error: &Error) -> bool {
    match error.status() {
        Some(status) => matches!(status.as_u16(), 500 | 502..=504),
        None => !error.is_builder(), // no response, or a part of one
    }
}
// ANCHOR_END: keep

// ANCHOR: mock
fn request() -> MockBuilder {
    Mock::given(method("POST"))
        .and(path("/labels"))
        .and(header_exists("idempotency-key"))
        .and(body_json(json!({ "parcel": 7 })))
}
// ANCHOR_END: mock

// ANCHOR: test
#[tokio::test]
async fn a_503_is_retried_with_the_same_key() -> anyhow::Result<()> {
    let carrier = MockServer::start().await;
    let down = request().respond_with(ResponseTemplate::new(503));
    down.up_to_n_times(1).expect(1).mount(&carrier).await;
    let label = ResponseTemplate::new(201).set_body_json(json!({"number": 1}));
    request().respond_with(label).expect(1).mount(&carrier).await;

    let client = Client::builder().no_proxy().build()?;
    let key = Uuid::new_v4();
    let bought = buy(&client, &carrier.uri(), key, 7).await?;
    assert_eq!(bought, Label { number: 1 });
    for request in carrier.received_requests().await.expect("recorded") {
        assert_eq!(request.headers["idempotency-key"], key.to_string());
    }
    Ok(())
} // the server is dropped, and checks that each request has come
// ANCHOR_END: test
// ANCHOR_END: lib

mod cases {
    use std::io::{Error, ErrorKind::ConnectionReset};
    use std::time::Duration;

    use reqwest::{Client, StatusCode};
    use serde_json::json;
    use tokio::net::TcpSocket;
    use tokio::time::{Instant, pause};
    use uuid::Uuid;
    use wiremock::{MockServer, ResponseTemplate};

    use super::{Label, Result, buy, request};

    fn client() -> Client {
        Client::builder().no_proxy().build().expect("a client")
    }

    /// A purchase with a new key.
    async fn purchase(carrier: &str) -> Result<Label> {
        buy(&client(), carrier, Uuid::new_v4(), 7).await
    }

    /// The keys of the requests that have come.
    async fn keys(carrier: &MockServer) -> Vec<String> {
        let requests = carrier.received_requests().await.expect("recorded");
        let keys = requests.iter().map(|one| &one.headers["idempotency-key"]);
        keys.map(|key| key.to_str().expect("ASCII").to_owned()).collect()
    }

    #[tokio::test]
    async fn a_caller_calls_again() {
        let carrier = MockServer::start().await;
        let label = ResponseTemplate::new(201);
        let label = label.set_body_json(json!({ "number": 1 }));
        request().respond_with(label).expect(2).mount(&carrier).await;
        let key = Uuid::new_v4();
        for _ in 0..2 {
            let label = buy(&client(), &carrier.uri(), key, 7).await;
            assert_eq!(label.expect("a label"), Label { number: 1 });
        }
        assert_eq!(keys(&carrier).await, [key.to_string(), key.to_string()]);
    }

    /// How many requests there are, and the status of the last one.
    async fn answered_by(status: u16, requests: u64) {
        let carrier = MockServer::start().await;
        let response = request().respond_with(ResponseTemplate::new(status));
        response.expect(requests).mount(&carrier).await;
        let error = purchase(&carrier.uri()).await.expect_err("fails");
        assert_eq!(error.status().map(|status| status.as_u16()), Some(status));
    }

    #[tokio::test]
    async fn down() {
        for status in [500, 502, 503, 504] {
            answered_by(status, 2).await;
        }
    }

    #[tokio::test]
    async fn refused_by_the_carrier() {
        for status in [400, 404, 409, 429, 501, 505] {
            answered_by(status, 1).await;
        }
    }

    #[tokio::test]
    async fn malformed() {
        let carrier = MockServer::start().await;
        let page = ResponseTemplate::new(200).set_body_string("<html>");
        request().respond_with(page).expect(2).mount(&carrier).await;
        let error = purchase(&carrier.uri()).await.expect_err("fails");
        assert!(error.is_decode());
    }

    #[tokio::test]
    async fn reset() {
        let carrier = MockServer::start().await;
        let reset = |_: &wiremock::Request| Error::from(ConnectionReset);
        let mock = request().respond_with_err(reset).up_to_n_times(1);
        mock.expect(1).mount(&carrier).await;
        let label = ResponseTemplate::new(201);
        let label = label.set_body_json(json!({ "number": 1 }));
        request().respond_with(label).expect(1).mount(&carrier).await;
        let label = purchase(&carrier.uri()).await.expect("a label");
        assert_eq!(label, Label { number: 1 });
        let keys = keys(&carrier).await;
        assert_eq!((keys.len(), &keys[0]), (2, &keys[1]));
    }

    #[tokio::test]
    async fn silent() {
        let carrier = MockServer::start().await;
        let hour = Duration::from_secs(3_600);
        let silent = ResponseTemplate::new(201).set_delay(hour);
        let mock = request().respond_with(silent).expect(1..);
        let first = mock.mount_as_scoped(&carrier).await;
        let (start, uri) = (Instant::now(), carrier.uri());
        let label = tokio::spawn(async move { purchase(&uri).await });
        first.wait_until_satisfied().await;
        pause();
        let error = label.await.expect("no panic").expect_err("a timeout");
        assert!(error.is_timeout());
        let waited = start.elapsed().as_secs();
        assert!((6..12).contains(&waited), "two attempts: {waited} s");
    }

    #[tokio::test]
    async fn invalid() {
        let error = purchase("carrier").await.expect_err("fails");
        assert!(error.is_builder());
    }

    #[tokio::test]
    async fn refused() -> anyhow::Result<()> {
        // The port is taken, and nothing listens on it.
        let socket = TcpSocket::new_v4()?;
        socket.bind("127.0.0.1:0".parse()?)?;
        let carrier = format!("http://{}", socket.local_addr()?);
        let error = purchase(&carrier).await.expect_err("fails");
        assert!(error.is_connect());
        Ok(())
    }

    #[tokio::test]
    #[should_panic(expected = "Verifications failed")]
    async fn a_request_that_does_not_come_fails_the_test() {
        let carrier = MockServer::start().await;
        let response = request().respond_with(ResponseTemplate::new(201));
        response.expect(1).mount(&carrier).await;
    }

    #[tokio::test]
    async fn not_matched() {
        let carrier = MockServer::start().await;
        let (key, uri) = (Uuid::new_v4(), carrier.uri());
        let error = buy(&client(), &uri, key, 8).await.expect_err("404");
        assert_eq!(error.status(), Some(StatusCode::NOT_FOUND));
    }
}
