//! An HTTP server on the loopback that fails in a chosen way.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy, sink};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;

/// What the server does when it has read the head of a request.
#[derive(Clone, Copy, Debug)]
pub enum Reply {
    /// It sends this status, and a body.
    Status(u16),
    /// It sends 200, a piece at a time, in so much time.
    Slow(Duration),
    /// It sends nothing, and keeps the connection open.
    Silent,
    /// It sends a response to the middle of its body, and no more.
    Stalled,
    /// It closes the connection in the middle of the body.
    Cut,
    /// It resets the connection.
    Reset,
    /// It closes its sending half of the connection, and keeps the other open.
    HalfClosed,
}

/// The server. It ends when it is dropped.
pub struct Peer {
    pub url: String,
    requests: Arc<AtomicUsize>,
    _server: AbortOnDropHandle<()>,
}

impl Peer {
    pub const BODY: &str = "in transit";

    /// `reply` gets the number of the request, from 0.
    pub async fn start(
        reply: impl Fn(usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let requests = Arc::new(AtomicUsize::new(0));
        let (count, reply) = (Arc::clone(&requests), Arc::new(reply));
        let server = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (count, reply) = (Arc::clone(&count), Arc::clone(&reply));
                let reply = move || reply(count.fetch_add(1, Relaxed));
                connections.spawn(serve(stream, reply));
            }
        });
        let _server = AbortOnDropHandle::new(server);
        Peer { url: format!("http://{address}"), requests, _server }
    }

    /// How many requests it has read.
    pub fn requests(&self) -> usize {
        self.requests.load(Relaxed)
    }
}

/// One request. An error means that the client has gone.
async fn serve(
    mut stream: TcpStream,
    reply: impl FnOnce() -> Reply,
) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if stream.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    }
    let reply = reply();
    let status = if let Reply::Status(status) = reply { status } else { 200 };
    let (body, length) = (Peer::BODY, Peer::BODY.len());
    let response = format!(
        "HTTP/1.1 {status} S\r\nconnection: close\r\n\
         content-length: {length}\r\n\r\n{body}"
    );
    let half = &response.as_bytes()[..response.len() - length / 2];
    match reply {
        Reply::Status(_) => stream.write_all(response.as_bytes()).await?,
        Reply::Slow(time) => {
            for piece in response.as_bytes().chunks(response.len() / 10) {
                sleep(time / 10).await;
                stream.write_all(piece).await?;
            }
        }
        Reply::Silent => {}
        Reply::Stalled => stream.write_all(half).await?,
        Reply::Cut => return stream.write_all(half).await,
        Reply::Reset => return stream.set_zero_linger(),
        Reply::HalfClosed => stream.shutdown().await?,
    }
    copy(&mut stream, &mut sink()).await?; // until the client closes
    Ok(())
}
