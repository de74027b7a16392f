// ANCHOR: all
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Barrier};

use axum::{Router, extract::Path as UrlPath, routing::get};
use futures::{StreamExt, TryStreamExt, stream};
use reqwest::Client;
use tokio::fs;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

const TILES: u8 = 8;
static AT_WORK: AtomicUsize = AtomicUsize::new(0);
static TWO_AT_WORK: Barrier = Barrier::new(2);

// ANCHOR: shade
/// A slope that rises is bright, one that falls is dark.
fn shade(heights: &[u8]) -> Vec<u8> {
    assert!(AT_WORK.fetch_add(1, Relaxed) < 2, "for two processors");
    TWO_AT_WORK.wait(); // goes on when two threads stand here
    let slopes = heights.windows(2);
    let rises = slopes.map(|pair| i16::from(pair[1]) - i16::from(pair[0]));
    let tile = rises.map(|rise| (128 + rise / 2) as u8).collect();
    AT_WORK.fetch_sub(1, Relaxed);
    tile
}
// ANCHOR_END: shade

/// What all tiles share.
struct Mill {
    survey: String,
    client: Client,
    processors: Arc<Semaphore>,
}

// ANCHOR: mixed
async fn make_tile(mill: &Mill, id: u8, map: &Path) -> anyhow::Result<()> {
    // ANCHOR: network
    // Waits for the network: async.
    let url = format!("{}/heights/{id}", mill.survey);
    let answer = mill.client.get(url).send().await?.error_for_status()?;
    let heights = answer.bytes().await?;
    // ANCHOR_END: network

    // ANCHOR: processor
    // Computes: on another thread, and no more at once than processors.
    let processor = mill.processors.clone().acquire_owned().await?;
    let tile = spawn_blocking(move || {
        let _processor = processor;
        shade(&heights)
    });
    // ANCHOR_END: processor

    // ANCHOR: disk
    // Waits for the disk.
    fs::write(map.join(format!("{id}.tile")), tile.await?).await?;
    // ANCHOR_END: disk
    Ok(())
}
// ANCHOR_END: mixed

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let map = tempfile::tempdir()?;
    let mill = Mill {
        survey: format!("http://{}", start_survey().await?),
        client: Client::new(),
        processors: Arc::new(Semaphore::new(2)),
    };

    // ANCHOR: all_tiles
    stream::iter((0..TILES).map(|id| make_tile(&mill, id, map.path())))
        .buffer_unordered(TILES.into())
        .try_collect::<()>()
        .await?;
    // ANCHOR_END: all_tiles

    for id in 0..TILES {
        let tile = fs::read(map.path().join(format!("{id}.tile"))).await?;
        assert_eq!(tile, [128 + 4 * id, 128 - 4 * id]);
    }
    println!("{TILES} tiles: fetched at once, shaded in pairs, saved");
    Ok(())
}

/// The survey answers when all have asked.
async fn start_survey() -> anyhow::Result<SocketAddr> {
    let all_here = Arc::new(tokio::sync::Barrier::new(TILES.into()));
    let answer = async move |UrlPath(id): UrlPath<u8>| {
        all_here.wait().await;
        vec![id, 9 * id, id]
    };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let app = Router::new().route("/heights/{id}", get(answer));
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(address)
}
// ANCHOR_END: all
