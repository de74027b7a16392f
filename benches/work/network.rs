//! What waits for a network, or for a time: a client, a server, round trips
//! and sleeps.

use std::collections::HashMap;
use std::future::IntoFuture;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::serve::ListenerExt;
use axum::{Json, Router, routing::get};
use futures::future::try_join_all;
use futures::stream::{self, StreamExt, TryStreamExt};
use serde::Serialize;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::sleep;

use page::fetch;

use super::piece;

#[expect(dead_code, reason = "the page's own `main` does not run")]
mod page {
    include!("../../snippets/core-patterns/fetch-json/fetch_json.rs");

    pub async fn fetch(
        client: &reqwest::Client,
        courier: &str,
        id: u64,
    ) -> anyhow::Result<u64> {
        Ok(fetch_parcel(client, courier, id).await?.id)
    }
}

const COUNT: u64 = 20_000;

/// Fetches parcels, 64 at once.
pub async fn http(way: &str, courier: &str) -> Result<(f64, u64)> {
    piece(COUNT, || fetch_all(way, courier, COUNT)).await
}

async fn fetch_all(way: &str, courier: &str, count: u64) -> Result<Duration> {
    let client = reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(2))
        .timeout(Duration::from_secs(10))
        .build()?;
    fetch(&client, courier, 0).await?;
    let start = Instant::now();
    let sum = match way {
        "buffer" => {
            let ask = |id| fetch(&client, courier, id);
            let mut parcels =
                stream::iter((0..count).map(ask)).buffer_unordered(64);
            let mut sum = 0;
            while let Some(id) = parcels.try_next().await? {
                sum += id;
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
                    let parcel = fetch(&client, &courier, id).await;
                    drop(permit);
                    parcel
                });
            }
            let mut sum = 0;
            while let Some(id) = tasks.join_next().await {
                sum += id??;
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

#[derive(Clone, Serialize)]
struct Book {
    title: String,
    copies: u32,
}

/// Prints its port, and serves until its standard input ends.
pub async fn serve() -> Result<()> {
    type Books = Arc<HashMap<u64, Book>>;
    async fn book(
        State(books): State<Books>,
        Path(id): Path<u64>,
    ) -> Result<Json<Book>, StatusCode> {
        let book = books.get(&id).ok_or(StatusCode::NOT_FOUND)?;
        Ok(Json(book.clone()))
    }
    let emma = Book { title: "Emma".into(), copies: 3 };
    let books: Books = Arc::new(HashMap::from([(7, emma)]));
    let app = Router::new().route("/books/{id}", get(book)).with_state(books);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", json!({ "port": listener.local_addr()?.port() }));
    let end = async {
        let end = spawn_blocking(|| io::stdin().read_to_end(&mut Vec::new()));
        _ = end.await;
    };
    tokio::select! {
        served = axum::serve(listener, app).into_future() => served?,
        () = end => {}
    }
    Ok(())
}

/// Sleeps 10,000 times at once, in tasks or in threads.
pub async fn sleeps(way: &str) -> Result<(f64, u64)> {
    const SLEEPS: u64 = 10_000;
    const SLEEP: Duration = Duration::from_millis(100);
    piece(SLEEPS, || async {
        let start = Instant::now();
        if way == "async" {
            (0..SLEEPS)
                .map(|_| sleep(SLEEP))
                .collect::<JoinSet<_>>()
                .join_all()
                .await;
        } else {
            in_threads((0..SLEEPS).map(|_| {
                || {
                    thread::sleep(SLEEP);
                    Ok(())
                }
            }))?;
        }
        Ok(start.elapsed())
    })
    .await
}

fn in_threads<F>(work: impl Iterator<Item = F>) -> Result<()>
where
    F: FnOnce() -> io::Result<()> + Send + 'static,
{
    let threads: io::Result<Vec<_>> =
        work.map(|work| thread::Builder::new().spawn(work)).collect();
    for thread in threads? {
        thread.join().expect("no panic")?;
    }
    Ok(())
}

/// Sends messages to a server that sends them back, each after the answer to
/// the one before: over one connection, or in the same time over many.
pub async fn trips(
    way: &str,
    connections: u64,
    server: &str,
) -> Result<(f64, u64)> {
    let trips = if connections == 1 { 5_000 } else { 20 };
    piece(connections * trips, || async move {
        // One after the other, and before the clock starts: if many connect at
        // once, the kernel drops some, which try again after a second.
        let mut ready = Vec::new();
        for _ in 0..connections {
            let connection = std::net::TcpStream::connect(server)?;
            connection.set_nodelay(true)?;
            connection.set_nonblocking(way == "async")?;
            ready.push(connection);
        }
        let ready = ready.into_iter();
        let start = Instant::now();
        if way == "async" {
            let tasks: JoinSet<_> =
                ready.map(|it| exchange(it, trips)).collect();
            for result in tasks.join_all().await {
                result?;
            }
        } else {
            in_threads(ready.map(|mut connection| {
                move || {
                    let mut message = [7; 64];
                    for _ in 0..trips {
                        connection.write_all(&message)?;
                        connection.read_exact(&mut message)?;
                    }
                    Ok(())
                }
            }))?;
        }
        Ok(start.elapsed())
    })
    .await
}

async fn exchange(
    connection: std::net::TcpStream,
    trips: u64,
) -> io::Result<()> {
    let mut connection = TcpStream::from_std(connection)?;
    let mut message = [7; 64];
    for _ in 0..trips {
        connection.write_all(&message).await?;
        connection.read_exact(&mut message).await?;
    }
    Ok(())
}

/// Starts a server that sends back what it receives.
pub async fn start_echo() -> io::Result<String> {
    async fn echo(mut client: TcpStream) -> io::Result<()> {
        client.set_nodelay(true)?;
        let mut message = [0; 64];
        loop {
            client.read_exact(&mut message).await?;
            client.write_all(&message).await?;
        }
    }
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address: SocketAddr = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(echo(client));
        }
    });
    Ok(address.to_string())
}
