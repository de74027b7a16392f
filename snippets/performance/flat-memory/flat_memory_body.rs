// ANCHOR: all
use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use anyhow::Context;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::{Router, routing::get};
use futures::{Stream, StreamExt, TryStreamExt, stream};
use reqwest::{Client, Response};
use tokio::io::AsyncBufReadExt;
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};
use tokio_util::codec::{FramedRead, LinesCodec, LinesCodecError};
use tokio_util::io::StreamReader;

// ANCHOR: fixed
const MAX_LINE: usize = 64 * 1024;

fn body_lines(
    response: Response,
) -> impl Stream<Item = Result<String, LinesCodecError>> + Unpin {
    let body = response.bytes_stream().map_err(io::Error::other);
    let codec = LinesCodec::new_with_max_length(MAX_LINE);
    FramedRead::new(StreamReader::new(body), codec)
}
// ANCHOR_END: fixed

/// A carrier that sends parcels, and counts the pieces of 1 kB.
#[derive(Clone)]
struct Carrier {
    sent: Arc<AtomicUsize>,
}

async fn export(
    State(carrier): State<Carrier>,
    Path(how): Path<String>,
) -> Body {
    let lines = || stream::iter(["7;Oslo;2499\n", "8;Bergen;120\n"]);
    let piece = match how.as_str() {
        "long_line" => "7".repeat(1_000),
        _ => "7;Oslo;2\n".repeat(100),
    };
    let piece = Bytes::from(piece);
    let pieces = stream::repeat_with(move || {
        carrier.sent.fetch_add(1, Relaxed);
        piece.clone()
    });
    match how.as_str() {
        "short" => Body::from_stream(lines().map(Ok::<_, Infallible>)),
        "cut" => {
            let cut = stream::once(async {
                sleep(Duration::from_secs(1)).await; // the lines are sent
                Err(io::Error::other("the carrier has crashed"))
            });
            Body::from_stream(lines().map(Ok).chain(cut))
        }
        "limit" => {
            let line = |length| "7".repeat(length) + "\n";
            Body::from(line(65_536) + &line(65_537))
        }
        "silent" => {
            let silent = lines().chain(stream::pending());
            Body::from_stream(silent.map(Ok::<_, Infallible>))
        }
        "long_line" => {
            let pieces = stream::iter([Bytes::from("7;Oslo;2499\n")])
                .chain(pieces.take(8_000))
                .chain(stream::iter([Bytes::from("\n9;Hamar;77")]));
            Body::from_stream(pieces.map(Ok::<_, Infallible>))
        }
        _ => Body::from_stream(pieces.map(Ok::<_, Infallible>)),
    }
}

/// The lines of a body, and how it ends.
async fn ends(
    client: &Client,
    url: &str,
) -> anyhow::Result<(Vec<String>, Option<LinesCodecError>)> {
    let response = client.get(url).send().await?.error_for_status()?;
    let mut body = body_lines(response);
    let mut lines = Vec::new();
    loop {
        match body.try_next().await {
            Ok(Some(line)) => lines.push(line),
            Ok(None) => return Ok((lines, None)),
            Err(error) => return Ok((lines, Some(error))),
        }
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let carrier = Carrier { sent: Arc::default() };
    let sent = carrier.sent.clone();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let base = format!("http://{}", listener.local_addr()?);
    let app = Router::new().route("/{how}", get(export)).with_state(carrier);
    tokio::spawn(async move { axum::serve(listener, app).await });
    let limit = Duration::from_secs(30);
    let client = Client::builder().no_proxy().read_timeout(limit).build()?;
    let short = ["7;Oslo;2499", "8;Bergen;120"];

    let (lines, error) = ends(&client, &format!("{base}/short")).await?;
    println!("a body: {lines:?}");
    assert!(lines == short && error.is_none());
    let (lines, error) = ends(&client, &format!("{base}/cut")).await?;
    let error = error.context("it is cut")?;
    println!("cut: an error after {} lines", lines.len());
    assert!(lines == short && matches!(error, LinesCodecError::Io(_)));

    let (lines, error) = ends(&client, &format!("{base}/limit")).await?;
    assert!(lines.len() == 1 && error.is_some(), "64 KiB, and a byte more");

    let start = Instant::now();
    let (lines, error) = ends(&client, &format!("{base}/silent")).await?;
    error.context("it is silent")?;
    println!("silent: an error after {:?}", start.elapsed());
    assert!(lines == short && start.elapsed() == limit);

    // ANCHOR: broken
    let url = format!("{base}/long_line");
    let response = client.get(url).send().await?.error_for_status()?;
    let body = response.bytes_stream().map_err(io::Error::other);
    let mut lines = StreamReader::new(body).lines();
    while let Some(line) = lines.next_line().await? {
        println!("next_line: a line of {} bytes", line.len());
        // ANCHOR_END: broken
        assert!([11, 8_000_000, 10].contains(&line.len()));
    }
    let url = format!("{base}/long_line");
    let response = client.get(url).send().await?.error_for_status()?;
    let mut lines = body_lines(response);
    assert_eq!(lines.try_next().await?.as_deref(), Some("7;Oslo;2499"));
    sent.store(0, Relaxed);
    let error = lines.try_next().await.err().context("it is too long")?;
    println!("body_lines: {error}");
    assert!(matches!(error, LinesCodecError::MaxLineLengthExceeded));
    // It says `None` once, and then goes on behind the line.
    assert_eq!(lines.try_next().await?, None);
    assert_eq!(lines.try_next().await?.as_deref(), Some("9;Hamar;77"));

    // The carrier sends no faster than its lines are taken.
    sent.store(0, Relaxed);
    let response = client.get(format!("{base}/endless")).send().await?;
    let mut lines = body_lines(response);
    assert_eq!(lines.try_next().await?.as_deref(), Some("7;Oslo;2"));
    let mut before = 0;
    while sent.load(Relaxed) > before {
        before = sent.load(Relaxed);
        sleep(Duration::from_millis(100)).await;
    }
    println!("endless: the carrier waits");
    assert!(before < 32_000, "{before} pieces of 900 bytes");
    drop(lines);
    Ok(())
}
// ANCHOR_END: all
