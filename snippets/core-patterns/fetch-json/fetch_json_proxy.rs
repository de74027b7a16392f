// ANCHOR: all
use std::env;
use std::future::IntoFuture;

use axum::{Router, routing::get};
use reqwest::Client;
use tokio::net::TcpListener;
use tokio::process::Command;

/// A server that says who it is, whatever it is asked. Returns its address.
async fn start(name: &'static str) -> anyhow::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let app = Router::new().fallback(get(move || async move { name }));
    tokio::spawn(axum::serve(listener, app).into_future());
    Ok(url)
}

/// What this program does in a process of its own, with a proxy.
async fn ask(url: &str) -> anyhow::Result<()> {
    // ANCHOR: broken
    let client = Client::new();
    // ANCHOR_END: broken
    let answer = client.get(url).send().await?.text().await?;
    println!("Client::new: {answer}");

    // ANCHOR: fixed
    let client = Client::builder().no_proxy().build()?;
    // ANCHOR_END: fixed
    let answer = client.get(url).send().await?.text().await?;
    println!("no_proxy: {answer}");
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    if let Some(url) = env::args().nth(1) {
        return ask(&url).await;
    }
    let (carrier, proxy) =
        (start("the carrier").await?, start("the proxy").await?);
    let child = Command::new(env::current_exe()?)
        .arg(&carrier)
        .env("HTTP_PROXY", proxy)
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .output();
    let printed = String::from_utf8(child.await?.stdout)?;
    print!("{printed}");
    assert_eq!(printed, "Client::new: the proxy\nno_proxy: the carrier\n");
    Ok(())
}
// ANCHOR_END: all
