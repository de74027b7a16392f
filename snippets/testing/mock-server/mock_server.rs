// ANCHOR: all
use std::time::Duration;

use reqwest::{Client, Error, Result, StatusCode};
use serde::Deserialize;
use serde_json::json;
use wiremock::matchers::{body_json, header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

// ANCHOR: client
struct BoxOffice {
    client: Client,
    url: String,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Ticket {
    row: u32,
}

impl BoxOffice {
    fn at(url: String) -> Result<BoxOffice> {
        let limit = Duration::from_secs(10);
        let client = Client::builder().timeout(limit).build()?;
        Ok(BoxOffice { client, url })
    }

    /// The key lets the office see that it is the same booking once more.
    async fn book(&self, seat: &str) -> Result<Ticket> {
        // ANCHOR: retry
        match self.ask(seat).await {
            Err(error) if worth_repeating(&error) => self.ask(seat).await,
            answer => answer,
        }
        // ANCHOR_END: retry
    }

    async fn ask(&self, seat: &str) -> Result<Ticket> {
        // ANCHOR: post
        let request = self.client.post(format!("{}/bookings", self.url));
        let request = request.header("idempotency-key", seat);
        let answer = request.json(&json!({ "seat": seat })).send().await?;
        // ANCHOR_END: post
        // ANCHOR: answer
        answer.error_for_status()?.json().await
        // ANCHOR_END: answer
    }
}

/// Unless the office has refused, or ten seconds have been spent already.
fn worth_repeating(error: &Error) -> bool {
    let refused = error.status().is_some_and(|s| s.is_client_error());
    !refused && !error.is_timeout()
}
// ANCHOR_END: client

// ANCHOR: tests
#[tokio::test]
async fn it_posts_the_seat_and_a_key() -> anyhow::Result<()> {
    let office = MockServer::start().await;
    let ticket = json!({ "row": 4 });
    Mock::given(method("POST"))
        .and(path("/bookings"))
        .and(header("idempotency-key", "D7"))
        .and(body_json(json!({ "seat": "D7" })))
        .respond_with(ResponseTemplate::new(201).set_body_json(ticket))
        .expect(1)
        .mount(&office)
        .await;
    let ticket = BoxOffice::at(office.uri())?.book("D7").await?;
    assert_eq!(ticket, Ticket { row: 4 });
    Ok(())
}

#[tokio::test]
async fn after_a_500_it_asks_again() -> anyhow::Result<()> {
    // ANCHOR: office
    let office = MockServer::start().await;
    let post = || Mock::given(method("POST"));
    let down = ResponseTemplate::new(500);
    let up = ResponseTemplate::new(201).set_body_json(json!({ "row": 4 }));
    post().respond_with(down).up_to_n_times(1).mount(&office).await;
    post().respond_with(up).expect(1).mount(&office).await;
    // ANCHOR_END: office
    // ANCHOR: book
    BoxOffice::at(office.uri())?.book("D7").await?;
    // ANCHOR_END: book
    Ok(())
}

#[tokio::test]
async fn after_a_409_it_does_not() -> anyhow::Result<()> {
    let office = MockServer::start().await;
    let taken = ResponseTemplate::new(409);
    let post = Mock::given(method("POST")).respond_with(taken);
    post.expect(1).mount(&office).await;
    let error = BoxOffice::at(office.uri())?.book("D7").await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::CONFLICT));
    Ok(())
}

#[tokio::test]
#[should_panic(expected = "Verifications failed")]
async fn what_is_expected_and_does_not_come_fails() {
    let office = MockServer::start().await;
    let sold = ResponseTemplate::new(201);
    let post = Mock::given(method("POST")).respond_with(sold);
    post.expect(1).mount(&office).await;
} // the server is dropped, and looks back
// ANCHOR_END: tests
// ANCHOR_END: all
