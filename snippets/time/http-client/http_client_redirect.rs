// ANCHOR: all
use std::future::IntoFuture;

use axum::http::{HeaderMap, StatusCode, header::LOCATION};
use axum::{Router, routing::get};
use reqwest::Client;
use reqwest::header::HeaderValue;
use reqwest::redirect::Policy;
use tokio::net::TcpListener;

/// Which secrets a server gets.
async fn secrets(headers: HeaderMap) -> String {
    let secrets = ["authorization", "cookie", "x-api-key"];
    let got = secrets.into_iter().filter(|name| headers.contains_key(*name));
    got.collect::<Vec<_>>().join(", ")
}

/// A server that redirects `/moved` to `location`. Returns its address.
async fn start(location: String) -> anyhow::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let moved = (StatusCode::FOUND, [(LOCATION, location)]);
    let app = Router::new()
        .route("/moved", get(async || moved))
        .route("/secrets", get(secrets));
    tokio::spawn(axum::serve(listener, app).into_future());
    Ok(url)
}

async fn ask(client: &Client, url: &str) -> reqwest::Result<String> {
    let request = client.get(format!("{url}/moved"));
    let request = request.bearer_auth("secret").header("cookie", "secret");
    let response = request.send().await?;
    let status = response.status();
    Ok(format!("{} got [{}]", status.as_u16(), response.text().await?))
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let other = start(String::new()).await?;
    let same = start("/secrets".to_owned()).await?;
    let carrier = start(format!("{other}/secrets")).await?;

    let key = HeaderValue::from_static("secret");
    let builder = Client::builder().no_proxy();
    // ANCHOR: broken
    let headers = HeaderMap::from_iter([("x-api-key".parse()?, key)]);
    let builder = builder.default_headers(headers);
    // ANCHOR_END: broken
    let client = builder.build()?;
    let got = ask(&client, &same).await?;
    println!("redirected on one host: {got}");
    assert_eq!(got, "200 got [authorization, cookie, x-api-key]");
    let got = ask(&client, &carrier).await?;
    println!("redirected to another: {got}");
    assert_eq!(got, "200 got [x-api-key]");

    let key = HeaderValue::from_static("secret");
    let headers = HeaderMap::from_iter([("x-api-key".parse()?, key)]);
    let builder = Client::builder().no_proxy().default_headers(headers);
    // ANCHOR: fixed
    let client = builder.redirect(Policy::none()).build()?;
    // ANCHOR_END: fixed
    let got = ask(&client, &carrier).await?;
    println!("not followed: {got}");
    assert_eq!(got, "302 got []");
    Ok(())
}
// ANCHOR_END: all
