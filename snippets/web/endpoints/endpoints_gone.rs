// ANCHOR: all
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::{Router, extract::State, routing::post};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

const SECOND: Duration = Duration::from_secs(1);

/// What becomes of the handler.
type End = Arc<Mutex<&'static str>>;

/// Takes a second, and does not read the body.
async fn handler(State(end): State<End>) -> &'static str {
    let set = |value| *end.lock().expect("no panic") = value;
    set("dropped"); // unless it comes to the end
    sleep(SECOND).await;
    set("completed");
    "in transit"
}

async fn serve(listener: TcpListener, app: Router) -> io::Result<()> {
    axum::serve(listener, app).await
}

// ANCHOR: fixed
async fn half_close(listener: TcpListener, app: Router) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        let service = TowerToHyperService::new(app.clone());
        tokio::spawn(async move {
            let mut builder = Builder::new(TokioExecutor::new());
            builder.http1().half_close(true);
            builder.serve_connection(TokioIo::new(stream), service).await
        });
    }
}
// ANCHOR_END: fixed

/// A client that sends so many bytes of a body, and then leaves, or closes its
/// sending half: whether it gets a response.
async fn client(
    address: SocketAddr,
    length: usize,
    leaves: bool,
) -> anyhow::Result<bool> {
    let mut stream = TcpStream::connect(address).await?;
    let head = format!(
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(&vec![7; length]).await?;
    sleep(SECOND / 10).await;
    let mut response = Vec::new();
    if !leaves {
        stream.shutdown().await?;
        stream.read_to_end(&mut response).await?;
    }
    Ok(response.starts_with(b"HTTP/1.1 200 OK"))
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let mut ends = Vec::new();
    for keeps in [false, true] {
        let end = End::default();
        let app = Router::new().route("/", post(handler));
        let app = app.with_state(Arc::clone(&end));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let server = tokio::spawn(async move {
            match keeps {
                false => serve(listener, app).await,
                true => half_close(listener, app).await,
            }
        });
        let name = if keeps { "half_close(true)" } else { "axum::serve" };
        for (case, length, leaves) in [
            ("leaves", 0, true),
            ("leaves, 200 kB unread", 200_000, true),
            ("half-closes", 0, false),
        ] {
            let response = client(address, length, leaves).await?;
            sleep(2 * SECOND).await;
            let end = *end.lock().expect("no panic");
            println!("{name}, {case}: {end}, response: {response}");
            ends.push((end, response));
        }
        server.abort();
    }
    let (dropped, completed) = ("dropped", "completed");
    assert_eq!(
        ends[..3],
        [(dropped, false), (completed, false), (dropped, false)]
    );
    assert_eq!(
        ends[3..],
        [(completed, false), (completed, false), (completed, true)]
    );
    Ok(())
}
// ANCHOR_END: all
