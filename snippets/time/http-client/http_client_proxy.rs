// ANCHOR: all
use std::env;
use std::error::Error;
use std::future::IntoFuture;

use axum::{Router, routing::get};
use reqwest::{Client, NoProxy, Proxy};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
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

/// What this program does in a process of its own, with `NO_PROXY`.
async fn ask(proxy: &str, url: &str) -> anyhow::Result<()> {
    let builder = Client::builder();
    // ANCHOR: broken
    let client = builder.proxy(Proxy::all(proxy)?).build()?;
    // ANCHOR_END: broken
    let answer = client.get(url).send().await?.text().await?;
    println!("Proxy::all: {answer}");

    let builder = Client::builder();
    // ANCHOR: fixed
    let exceptions = NoProxy::from_env();
    let proxy = Proxy::all(proxy)?.no_proxy(exceptions);
    let client = builder.proxy(proxy).build()?;
    // ANCHOR_END: fixed
    let answer = client.get(url).send().await?.text().await?;
    println!("with NO_PROXY: {answer}");
    let other = client.get("http://carrier.example").send().await?;
    println!("with NO_PROXY, another host: {}", other.text().await?);
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    if let (Some(proxy), Some(url)) = (env::args().nth(1), env::args().nth(2)) {
        return ask(&proxy, &url).await;
    }
    let (carrier, proxy) =
        (start("the carrier").await?, start("the proxy").await?);
    let child = Command::new(env::current_exe()?)
        .args([&proxy, &carrier])
        .env("NO_PROXY", "localhost, .internal, 127.0.0.0/8")
        .output();
    let printed = String::from_utf8(child.await?.stdout)?;
    print!("{printed}");
    let expected = "Proxy::all: the proxy\nwith NO_PROXY: the carrier\n\
                    with NO_PROXY, another host: the proxy\n";
    assert_eq!(printed, expected);

    // An https request goes through the proxy: it sees the host, no more.
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let proxy = Proxy::all(format!("http://{}", listener.local_addr()?))?;
    let client = Client::builder().proxy(proxy).build()?;
    let proxied = async {
        let (mut stream, _) = listener.accept().await?;
        let mut head = [0; 1024];
        let length = stream.read(&mut head).await?;
        let refused = b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n";
        stream.write_all(refused).await?;
        anyhow::Ok(String::from_utf8_lossy(&head[..length]).into_owned())
    };
    let request = client.get("https://carrier.example/parcels/7").send();
    let (head, response) = tokio::join!(proxied, request);
    let (head, error) = (head?, response.expect_err("no tunnel"));
    println!("https: {}", head.lines().next().unwrap_or_default());
    assert!(head.starts_with("CONNECT carrier.example:443 HTTP/1.1\r\n"));
    assert!(!head.contains("parcels"));
    let mut cause: &dyn Error = &error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    println!("407: is_connect: {}: {cause}", error.is_connect());
    assert!(error.is_connect());
    Ok(())
}
// ANCHOR_END: all
