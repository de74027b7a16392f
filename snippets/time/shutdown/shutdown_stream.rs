// ANCHOR: all
use std::convert::Infallible;
use std::future::IntoFuture;
use std::time::Duration;

use axum::response::sse::{Event, Sse};
use axum::{Router, extract::State, routing::get};
use futures::stream::{self, Stream, StreamExt};
use tokio::net::TcpListener;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

type Scan = Result<Event, Infallible>;

/// One scan, and then none for a long time.
fn scans() -> impl Stream<Item = Scan> {
    let scan = Event::default().data("parcel 7 is in Ghent");
    stream::iter([Ok(scan)]).chain(stream::pending())
}

async fn events() -> Sse<impl Stream<Item = Scan>> {
    // ANCHOR: broken
    Sse::new(scans())
    // ANCHOR_END: broken
}

async fn events_until(
    State(closing): State<CancellationToken>,
) -> Sse<impl Stream<Item = Scan>> {
    // ANCHOR: fixed
    Sse::new(scans().take_until(closing.cancelled_owned()))
    // ANCHOR_END: fixed
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    for (path, expected) in [("broken", 8), ("fixed", 0)] {
        let closing = CancellationToken::new();
        let app = Router::new()
            .route("/broken", get(events))
            .route("/fixed", get(events_until))
            .with_state(closing.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/{path}", listener.local_addr()?);
        let server = axum::serve(listener, app)
            .with_graceful_shutdown(closing.clone().cancelled_owned());
        let server = tokio::spawn(server.into_future());
        let client = reqwest::Client::builder().no_proxy().build()?;
        let mut response = client.get(url).send().await?;
        assert!(response.chunk().await?.is_some());

        let start = Instant::now();
        closing.cancel();
        let limit = Duration::from_secs(8);
        let answered = timeout(limit, server).await.is_ok();
        let seconds = start.elapsed().as_secs();
        println!("{path}: closed after {seconds} s, answered: {answered}");
        assert_eq!((seconds, answered), (expected, expected == 0));
    }
    Ok(())
}
// ANCHOR_END: all
