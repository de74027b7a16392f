// ANCHOR: all
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use axum::serve::{ListenerExt, serve};
use axum::{Router, routing::get};
use reqwest::Client;
use tokio::net::TcpListener;

static CONNECTIONS: AtomicU32 = AtomicU32::new(0);

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let app = Router::new().route("/", get(|| async { "on its way" }));
    let count = |_: &mut _| _ = CONNECTIONS.fetch_add(1, Relaxed);
    let listener = listener.tap_io(count);
    tokio::spawn(async move { serve(listener, app).await });

    // ANCHOR: broken
    // Broken: each call builds a client, and with it an empty pool.
    for _ in 0..10 {
        Client::new().get(&url).send().await?.text().await?;
    }
    println!("a client for each: {CONNECTIONS:?} connections");
    assert_eq!(CONNECTIONS.swap(0, Relaxed), 10);
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: one client. Clones share its pool.
    let client = Client::new();
    for _ in 0..10 {
        client.clone().get(&url).send().await?.text().await?;
    }
    println!("one client: {CONNECTIONS:?} connection");
    assert_eq!(CONNECTIONS.load(Relaxed), 1);
    // ANCHOR_END: fixed
    Ok(())
}
// ANCHOR_END: all
