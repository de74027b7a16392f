// ANCHOR: all
use std::convert::Infallible;
use std::io::{self, Write};
use std::net::SocketAddr;

use anyhow::Context;
use axum::body::{Body, Bytes};
use axum::{Router, routing::get};
use futures::{StreamExt, TryStreamExt, stream};
use memchr::memchr_iter;
use tokio::fs::File;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio_util::io::StreamReader;

const MB: usize = 256;

// ANCHOR: count
async fn count_lines(mut input: impl AsyncBufRead + Unpin) -> io::Result<u64> {
    let (mut lines, mut goes_on) = (0, false);
    loop {
        let chunk = input.fill_buf().await?;
        if chunk.is_empty() {
            return Ok(lines + u64::from(goes_on));
        }
        lines += memchr_iter(b'\n', chunk).count() as u64;
        goes_on = !chunk.ends_with(b"\n");
        let length = chunk.len();
        input.consume(length);
    }
}
// ANCHOR_END: count

// ANCHOR: peak
/// The most memory that this process has had so far, as Linux counts it.
fn peak_mb() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kb = peak.and_then(|peak| peak.trim().strip_suffix(" kB"));
    Ok(kb.context("no VmHWM")?.parse::<u64>()? / 1000)
}
// ANCHOR_END: peak

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    // 1 MB in lines of 100 bytes.
    let orders = Bytes::from(format!("{:99}\n", "7;lamp").repeat(10_000));
    let mut export = tempfile::NamedTempFile::new()?;
    for _ in 0..MB {
        export.write_all(&orders)?;
    }
    assert_eq!(export.path().metadata()?.len(), 256_000_000);
    let shop = start_shop(orders).await?;

    // ANCHOR: chunks
    let file = File::open(export.path()).await?;
    let file = BufReader::with_capacity(256 * 1024, file);
    // ANCHOR_END: chunks
    // ANCHOR: in_file
    let lines = count_lines(file).await?;
    // ANCHOR_END: in_file
    println!("a file of {MB} MB: {lines} orders");
    assert_eq!(lines, 2_560_000);

    // ANCHOR: body
    let answer = reqwest::get(format!("http://{shop}/export")).await?;
    let body = answer.error_for_status()?.bytes_stream();
    let body = StreamReader::new(body.map_err(io::Error::other));
    let lines = count_lines(body).await?;
    // ANCHOR_END: body
    println!("a body of {MB} MB: {lines} orders");
    assert_eq!(lines, 2_560_000);

    let peak = peak_mb()?;
    assert!(peak < 64, "{peak} MB");
    println!("at no time more than 64 MB of memory");
    assert_eq!(count_lines(&b"7;lamp\n8;sofa"[..]).await?, 2);
    Ok(())
}

/// The shop sends the same orders again and again, as fast as they are taken.
async fn start_shop(orders: Bytes) -> io::Result<SocketAddr> {
    let export = async move || {
        let blocks = stream::repeat(orders).map(Ok::<_, Infallible>);
        Body::from_stream(blocks.take(MB))
    };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let app = Router::new().route("/export", get(export));
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(address)
}
// ANCHOR_END: all
