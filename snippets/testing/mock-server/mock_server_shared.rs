// ANCHOR: all
use tokio::sync::OnceCell;
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

/// By mistake it sends nothing.
async fn buy(_carrier: &str) {}

async fn shared() {
    // ANCHOR: broken
    static CARRIER: OnceCell<MockServer> = OnceCell::const_new();
    let carrier = CARRIER.get_or_init(MockServer::start).await;
    // ANCHOR_END: broken
    let bought = ResponseTemplate::new(201);
    let mock = Mock::given(method("POST")).respond_with(bought);
    mock.expect(1).mount(carrier).await;
    buy(&carrier.uri()).await;
}

async fn dropped() {
    // ANCHOR: fixed
    let carrier = MockServer::start().await;
    // ANCHOR_END: fixed
    let bought = ResponseTemplate::new(201);
    let mock = Mock::given(method("POST")).respond_with(bought);
    mock.expect(1).mount(&carrier).await;
    buy(&carrier.uri()).await;
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    tokio::spawn(shared()).await?;
    println!("a server for all tests: the test passes");
    let test = tokio::spawn(dropped()).await;
    assert!(test.is_err_and(|error| error.is_panic()));
    println!("a server for each test: the test fails");
    Ok(())
}
// ANCHOR_END: all
