// ANCHOR: all
use reqwest::{Client, StatusCode};
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

/// Who has booked a seat. Has a mistake: the path is `/bookings/D7`.
async fn booked_by(office: &str) -> reqwest::Result<Option<String>> {
    let answer = Client::new().get(format!("{office}/booking/D7")).send();
    let answer = answer.await?;
    if answer.status() == StatusCode::NOT_FOUND {
        return Ok(None);
    }
    answer.error_for_status()?.text().await.map(Some)
}

// ANCHOR: broken
// Broken: whatever no mock answers is a 404, and here that is an answer.
#[tokio::test]
async fn broken_the_wrong_path_passes() {
    let office = MockServer::start().await;
    assert_eq!(booked_by(&office.uri()).await.expect("an answer"), None);
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: the 404 that is meant, and the request that it answers.
#[tokio::test]
#[should_panic(expected = "Number of matched incoming requests: 0")]
async fn fixed_the_wrong_path_fails() {
    let office = MockServer::start().await;
    let free = ResponseTemplate::new(404);
    let get = Mock::given(path("/bookings/D7")).respond_with(free);
    get.expect(1).mount(&office).await;
    assert_eq!(booked_by(&office.uri()).await.expect("an answer"), None);
}
// ANCHOR_END: fixed
// ANCHOR_END: all
