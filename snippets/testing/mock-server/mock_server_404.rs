// ANCHOR: all
use reqwest::{Client, StatusCode};
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

/// Where a parcel is, if the carrier knows it.
async fn track(carrier: &str, route: &str) -> reqwest::Result<Option<String>> {
    let client = Client::builder().no_proxy().build()?;
    let response = client.get(format!("{carrier}{route}")).send().await?;
    if response.status() == StatusCode::NOT_FOUND {
        return Ok(None);
    }
    response.error_for_status()?.text().await.map(Some)
}

/// The carrier's path is `/parcels/7`.
const WRONG: &str = "/parcel/7";

async fn not_matched(route: &str) -> reqwest::Result<Option<String>> {
    // ANCHOR: broken
    let carrier = MockServer::start().await;
    let status = track(&carrier.uri(), route).await;
    // ANCHOR_END: broken
    status
}

async fn expected(route: &str) -> reqwest::Result<Option<String>> {
    // ANCHOR: fixed
    let carrier = MockServer::start().await;
    let unknown = ResponseTemplate::new(404);
    let mock = Mock::given(path("/parcels/7")).respond_with(unknown);
    mock.expect(1).mount(&carrier).await;
    let status = track(&carrier.uri(), route).await;
    // ANCHOR_END: fixed
    status
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let status = not_matched(WRONG).await?;
    println!("not matched: {status:?}, the test passes");
    assert_eq!(status, None);

    assert_eq!(expected("/parcels/7").await?, None);
    let test = tokio::spawn(expected(WRONG)).await;
    assert!(test.is_err_and(|error| error.is_panic()));
    println!("expected and not matched: the test fails");
    Ok(())
}
// ANCHOR_END: all
