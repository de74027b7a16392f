// ANCHOR: all
use std::io::{Read, Seek};
use std::sync::Arc;

use anyhow::anyhow;
use axum::http::StatusCode;
use reqwest::Client;
use tokio::net::TcpSocket;

// ANCHOR: broken
fn leaky(error: reqwest::Error) -> (StatusCode, String) {
    (StatusCode::BAD_GATEWAY, error.to_string())
}
// ANCHOR_END: broken

// ANCHOR: fixed
fn tight(error: reqwest::Error) -> (StatusCode, String) {
    let cause = anyhow!(error.without_url()); // the URL has a key in it
    tracing::error!("the carrier has failed: {cause:#}");
    (StatusCode::BAD_GATEWAY, "the carrier has failed".into())
}
// ANCHOR_END: fixed

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut file = tempfile::tempfile()?;
    let log = Arc::new(file.try_clone()?);
    tracing_subscriber::fmt().with_ansi(false).with_writer(log).init();

    let refusing = TcpSocket::new_v4()?;
    refusing.bind("127.0.0.1:0".parse()?)?;
    let client = Client::builder()
        .resolve("carrier.internal", refusing.local_addr()?)
        .no_proxy()
        .build()?;
    let url = "http://carrier.internal/parcels/7?key=k3y";
    for (name, answer) in
        [("leaky", leaky as fn(_) -> (StatusCode, String)), ("tight", tight)]
    {
        let error = client.get(url).send().await.expect_err("it refuses");
        let (_, detail) = answer(error);
        println!("{name}: {detail}");
        assert_eq!(detail.contains("carrier.internal"), name == "leaky");
        assert_eq!(detail.contains("k3y"), name == "leaky");
    }

    let mut text = String::new();
    file.rewind()?;
    file.read_to_string(&mut text)?;
    assert_eq!(text.lines().count(), 1);
    assert!(text.contains("the carrier has failed: error sending request: "));
    assert!(text.contains("Connection refused"), "{text}");
    assert!(!text.contains("k3y") && !text.contains("carrier.internal"));
    Ok(())
}
// ANCHOR_END: all
