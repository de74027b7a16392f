// ANCHOR: all
use std::future::{IntoFuture, pending};
use std::net::SocketAddr;
use std::time::Duration;

use axum::serve::ListenerExt;
use axum::{Router, routing::get};
use futures::future::join_all;
use reqwest::Client;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::sleep;

const SECOND: Duration = Duration::from_secs(1);

async fn carrier() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let listener = listener.tap_io(|stream| {
        stream.set_nodelay(true).expect("a socket");
    });
    let app = Router::new().route("/", get(async || "in transit"));
    tokio::spawn(axum::serve(listener, app).into_future());
    Ok(address)
}

/// A network in front of the carrier. When `cut_rx` changes, its connections
/// carry no data any more, and do not end. New ones work.
async fn network(cut_rx: watch::Receiver<()>) -> anyhow::Result<SocketAddr> {
    let carrier = carrier().await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.expect("a client");
            let mut cut_rx = cut_rx.clone();
            cut_rx.mark_unchanged();
            tokio::spawn(async move {
                let server = TcpStream::connect(carrier).await;
                let mut server = server.expect("a carrier");
                client.set_nodelay(true).expect("a socket");
                server.set_nodelay(true).expect("a socket");
                tokio::select! {
                    _ = copy_bidirectional(&mut client, &mut server) => {}
                    _ = cut_rx.changed() => pending().await,
                }
            });
        }
    });
    Ok(address)
}

/// A request a second, after the network has cut the connection: how many of
/// 20 fail.
async fn failures(client: Client) -> anyhow::Result<usize> {
    let (cut_tx, cut_rx) = watch::channel(());
    let url = format!("http://{}", network(cut_rx).await?);
    client.get(&url).send().await?;
    cut_tx.send_replace(());
    let requests = (1..=20).map(async |second| {
        sleep(SECOND * second).await;
        client.get(&url).send().await.is_err()
    });
    let failed = join_all(requests).await;
    Ok(failed.into_iter().filter(|failed| *failed).count())
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let new = || Client::builder().no_proxy().read_timeout(5 * SECOND);
    // The carrier speaks HTTP/2 without TLS.
    let builder = new().http2_prior_knowledge();
    // ANCHOR: broken
    let client = builder.build()?; // its `read_timeout` is 5 s
    // ANCHOR_END: broken
    let failed = failures(client).await?;
    println!("without pings: {failed} of 20 fail");
    assert_eq!(failed, 20);

    let builder = new().http2_prior_knowledge();
    // ANCHOR: fixed
    let builder = builder.http2_keep_alive_interval(3 * SECOND);
    let builder = builder.http2_keep_alive_timeout(2 * SECOND);
    let client = builder.build()?;
    // ANCHOR_END: fixed
    let failed = failures(client).await?;
    println!("with pings: {failed} of 20 fail");
    assert_eq!(failed, 4);

    let failed = failures(new().http1_only().build()?).await?;
    println!("HTTP/1: {failed} of 20 fails");
    assert_eq!(failed, 1);
    Ok(())
}
// ANCHOR_END: all
