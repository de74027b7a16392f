// ANCHOR: all
use std::convert::Infallible;
use std::future::IntoFuture;
use std::sync::Arc;

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Router, extract::State, routing::post};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio_stream::{Stream, StreamExt};

// ANCHOR: answer
/// Lines for a reader, as they come; or "later", if no place is free.
pub fn answer<S>(places: &Arc<Semaphore>, lines: S) -> Response
where
    S: Stream<Item = String> + Send + 'static,
{
    let Ok(place) = Arc::clone(places).try_acquire_owned() else {
        let later = "too many programs are running; wait for one, or stop it\n";
        return (StatusCode::SERVICE_UNAVAILABLE, later).into_response();
    };
    let lines = lines.map(move |line| {
        let _held = &place; // as long as there may be lines
        Ok::<_, Infallible>(line)
    });
    let kind = [("content-type", "application/x-ndjson")];
    (kind, Body::from_stream(lines)).into_response()
}
// ANCHOR_END: answer

type Shop = (Arc<Semaphore>, mpsc::UnboundedSender<&'static str>);

struct Song(mpsc::UnboundedSender<&'static str>);

impl Drop for Song {
    fn drop(&mut self) {
        _ = self.0.send("dropped");
    }
}

/// A song without an end.
async fn sing(State((places, log)): State<Shop>) -> Response {
    let song = Song(log);
    let line = tokio_stream::once("la\n".to_owned());
    let rest = tokio_stream::pending().map(move |line| (&song, line).1);
    answer(&places, line.chain(rest))
}

/// What comes until a line begins like this.
async fn hear(url: &str, wanted: &str) -> anyhow::Result<BufReader<TcpStream>> {
    let mut stream = BufReader::new(TcpStream::connect(url).await?);
    let request = format!("POST / HTTP/1.1\r\nHost: {url}\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut line = String::new();
    while !line.starts_with(wanted) {
        line.clear();
        let read = stream.read_line(&mut line).await?;
        anyhow::ensure!(read > 0, "{wanted} does not come");
    }
    Ok(stream)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let places = Arc::new(Semaphore::new(2));
    let (log, mut logged) = mpsc::unbounded_channel();
    let app = post(sing).with_state((places.clone(), log));
    let app = Router::new().route("/", app);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = listener.local_addr()?.to_string();
    tokio::spawn(axum::serve(listener, app).into_future());

    let first = hear(&url, "la").await?;
    let _second = hear(&url, "la").await?;
    println!("two listen: {} places left", places.available_permits());
    assert_eq!(places.available_permits(), 0);
    hear(&url, "HTTP/1.1 503").await?;
    assert_eq!(logged.recv().await, Some("dropped"));
    println!("a third is told to come later");

    drop(first); // hangs up
    assert_eq!(logged.recv().await, Some("dropped"));
    assert_eq!(places.available_permits(), 1);
    hear(&url, "la").await?;
    println!("one hangs up: its song is dropped, its place is free");
    Ok(())
}
// ANCHOR_END: all
