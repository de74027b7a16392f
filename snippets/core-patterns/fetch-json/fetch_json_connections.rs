// ANCHOR: all
use std::future::IntoFuture;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use axum::serve::ListenerExt;
use axum::{Router, routing::get};
use reqwest::Client;
use tokio::net::TcpListener;

static CONNECTIONS: AtomicU32 = AtomicU32::new(0);

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let app = Router::new().route("/", get(|| async { "in transit" }));
    let count = |_: &mut _| _ = CONNECTIONS.fetch_add(1, Relaxed);
    let listener = listener.tap_io(count);
    tokio::spawn(axum::serve(listener, app).into_future());

    let urls = vec![url; 10];
    let new_client = || Client::builder().no_proxy().build();

    // ANCHOR: broken
    for url in &urls {
        let client = new_client()?;
        client.get(url).send().await?.text().await?;
    }
    // ANCHOR_END: broken
    println!("a client for each: {CONNECTIONS:?} connections");
    assert_eq!(CONNECTIONS.swap(0, Relaxed), 10);

    // ANCHOR: fixed
    let client = new_client()?;
    for url in &urls {
        client.get(url).send().await?.text().await?;
    }
    // ANCHOR_END: fixed
    println!("one client: {CONNECTIONS:?} connection");
    assert_eq!(CONNECTIONS.load(Relaxed), 1);
    client.clone().get(&urls[0]).send().await?.text().await?;
    assert_eq!(CONNECTIONS.load(Relaxed), 1);
    Ok(())
}
// ANCHOR_END: all
