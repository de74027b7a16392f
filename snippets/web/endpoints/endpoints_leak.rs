// ANCHOR: all
use axum::http::StatusCode;
use reqwest::Client;
use tokio::net::TcpSocket;

// ANCHOR: broken
fn leaky(error: reqwest::Error) -> (StatusCode, String) {
    (StatusCode::BAD_GATEWAY, error.to_string())
}
// ANCHOR_END: broken

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let refusing = TcpSocket::new_v4()?;
    refusing.bind("127.0.0.1:0".parse()?)?;
    let client = Client::builder()
        .resolve("carrier.internal", refusing.local_addr()?)
        .no_proxy()
        .build()?;
    let url = "http://carrier.internal/parcels/7?key=k3y";
    let error = client.get(url).send().await.expect_err("it refuses");
    let (_, detail) = leaky(error);
    println!("the client gets: {detail}");
    assert!(detail.contains(url));

    // The log needs no URL to name the cause.
    let error = client.get(url).send().await.expect_err("it refuses");
    let cause = format!("{:#}", anyhow::Error::from(error.without_url()));
    let (text, _number) = cause.split_once(" (os ").unwrap_or((&cause, ""));
    println!("the log gets: {text}");
    assert!(cause.contains("Connection refused"), "{cause}");
    assert!(!cause.contains("k3y") && !cause.contains("carrier.internal"));
    Ok(())
}
// ANCHOR_END: all
