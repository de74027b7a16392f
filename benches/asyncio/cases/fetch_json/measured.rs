//! `fetch_parcel`, measured, and the server that it asks.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use axum::extract::Path;
use axum::serve::ListenerExt;
use axum::{Json, Router, routing::get};
use futures::future::try_join_all;
use futures::stream::{self, StreamExt, TryStreamExt};
use serde::Serialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::fetch_parcel;

/// Fetches parcels, 64 at once.
pub async fn http(way: &str, courier: &str, count: u64) -> Result<Duration> {
    let client = reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(2))
        .timeout(Duration::from_secs(10))
        .build()?;
    fetch_parcel(&client, courier, 0).await?;
    let start = Instant::now();
    let sum = match way {
        "buffer" => {
            let fetch = |id| fetch_parcel(&client, courier, id);
            let mut parcels =
                stream::iter((0..count).map(fetch)).buffer_unordered(64);
            let mut sum = 0;
            while let Some(parcel) = parcels.try_next().await? {
                sum += parcel.id;
            }
            sum
        }
        "tasks" => {
            let permits = Arc::new(Semaphore::new(64));
            let mut tasks = JoinSet::new();
            for id in 0..count {
                let permit = Arc::clone(&permits).acquire_owned().await?;
                let (client, courier) = (client.clone(), courier.to_owned());
                tasks.spawn(async move {
                    let parcel = fetch_parcel(&client, &courier, id).await;
                    drop(permit);
                    parcel
                });
            }
            let mut sum = 0;
            while let Some(parcel) = tasks.join_next().await {
                sum += parcel??.id;
            }
            sum
        }
        "sockets" => {
            let connections = (0..64).map(|first| {
                tokio::spawn(ask_by_socket(courier.to_owned(), first, count))
            });
            try_join_all(connections).await?.into_iter().sum::<Result<u64>>()?
        }
        _ => bail!("no way {way}"),
    };
    let time = start.elapsed();
    ensure!(sum == count * (count - 1) / 2);
    Ok(time)
}

/// Sends every 64th request, over one of 64 connections, as bytes to a socket.
/// What this takes is the time of the loopback and the server, not of an HTTP
/// client.
async fn ask_by_socket(courier: String, first: u64, count: u64) -> Result<u64> {
    let host = courier.strip_prefix("http://").context("no http")?;
    let mut socket = TcpStream::connect(host).await?;
    socket.set_nodelay(true)?;
    let mut answer = Vec::with_capacity(1024);
    let mut sum = 0;
    for id in (first..count).step_by(64) {
        let ask = format!("GET /parcels/{id} HTTP/1.1\r\nhost: {host}\r\n\r\n");
        socket.write_all(ask.as_bytes()).await?;
        answer.clear();
        while answer.last() != Some(&b'}') {
            ensure!(socket.read_buf(&mut answer).await? > 0, "hung up");
        }
        let body = format!("\r\n\r\n{{\"id\":{id},");
        ensure!(answer.windows(body.len()).any(|at| at == body.as_bytes()));
        sum += id;
    }
    Ok(sum)
}

/// Starts the server that the clients of both sides ask. It knows every parcel.
pub async fn start_courier() -> io::Result<String> {
    #[derive(Serialize)]
    struct Parcel {
        id: u64,
        city: &'static str,
        delivered: bool,
    }
    async fn parcel(Path(id): Path<u64>) -> Json<Parcel> {
        Json(Parcel { id, city: "Bergen", delivered: false })
    }
    let app = Router::new().route("/parcels/{id}", get(parcel));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let listener = listener.tap_io(|io| _ = io.set_nodelay(true));
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(format!("http://{address}"))
}
