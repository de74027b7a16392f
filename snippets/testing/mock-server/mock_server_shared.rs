// ANCHOR: all
use tokio::sync::OnceCell;
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

/// Has a mistake: books nothing.
async fn book(_office: &str) {}

// ANCHOR: broken
// Broken: one server for all tests. What is static is never dropped.
#[tokio::test]
async fn broken_a_shared_server_checks_nothing() {
    static OFFICE: OnceCell<MockServer> = OnceCell::const_new();
    let office = OFFICE.get_or_init(MockServer::start).await;
    let sold = ResponseTemplate::new(201);
    let post = Mock::given(method("POST")).respond_with(sold);
    post.expect(1).mount(office).await;
    book(&office.uri()).await;
    assert_eq!(office.received_requests().await.map(|r| r.len()), Some(0));
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: a server for every test; `start` takes one from a pool.
#[tokio::test]
#[should_panic(expected = "The server did not receive any request.")]
async fn fixed_a_server_of_its_own_checks() {
    let office = MockServer::start().await;
    let sold = ResponseTemplate::new(201);
    let post = Mock::given(method("POST")).respond_with(sold);
    post.expect(1).mount(&office).await;
    book(&office.uri()).await;
}
// ANCHOR_END: fixed
// ANCHOR_END: all
