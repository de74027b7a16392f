// ANCHOR: all
use reqwest::{Client, StatusCode};
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

/// Where a parcel is, if the carrier knows it. By mistake it asks for
/// `/parcel/7`; the carrier's path is `/parcels/7`.
async fn track(carrier: &str) -> reqwest::Result<Option<String>> {
    let client = Client::builder().no_proxy().build()?;
    let response = client.get(format!("{carrier}/parcel/7")).send().await?;
    if response.status() == StatusCode::NOT_FOUND {
        return Ok(None);
    }
    response.error_for_status()?.text().await.map(Some)
}

async fn not_matched() -> reqwest::Result<Option<String>> {
    // ANCHOR: broken
    let carrier = MockServer::start().await;
    let status = track(&carrier.uri()).await;
    // ANCHOR_END: broken
    status
}

async fn expected() -> reqwest::Result<Option<String>> {
    // ANCHOR: fixed
    let carrier = MockServer::start().await;
    let unknown = ResponseTemplate::new(404);
    let mock = Mock::given(path("/parcels/7")).respond_with(unknown);
    mock.expect(1).mount(&carrier).await;
    let status = track(&carrier.uri()).await;
    // ANCHOR_END: fixed
    status
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let status = not_matched().await?;
    println!("not matched: {status:?}, the test passes");
    assert_eq!(status, None);

    let test = tokio::spawn(expected()).await;
    assert!(test.is_err_and(|error| error.is_panic()));
    println!("expected and not matched: the test fails");
    Ok(())
}
// ANCHOR_END: all
