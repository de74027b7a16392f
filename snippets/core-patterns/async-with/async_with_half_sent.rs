// ANCHOR: all
use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::timeout;

struct Session {
    stream: DuplexStream,
    in_request: bool,
}

impl Session {
    // ANCHOR: broken
    async fn close(mut self) -> io::Result<()> {
        self.stream.write_all(b"QUIT\n").await
    }
    // ANCHOR_END: broken

    // ANCHOR: fixed
    async fn send(&mut self, request: &str) -> io::Result<()> {
        self.in_request = true;
        self.stream.write_all(request.as_bytes()).await?;
        self.in_request = false;
        Ok(())
    }

    async fn close_or_drop(mut self) -> io::Result<()> {
        if self.in_request {
            return Ok(()); // `Drop` closes the socket
        }
        self.stream.write_all(b"QUIT\n").await
    }
    // ANCHOR_END: fixed
}

/// A session whose request was cancelled after eight bytes.
async fn cancelled() -> (Session, DuplexStream) {
    let (stream, carrier) = duplex(8);
    let mut session = Session { stream, in_request: false };
    let request = session.send("TRACK parcel 7\n");
    let sent = timeout(Duration::from_secs(1), request).await;
    assert!(sent.is_err(), "the carrier does not read");
    (session, carrier)
}

/// What the carrier receives until the socket is closed.
async fn receive(mut carrier: DuplexStream) -> io::Result<String> {
    let mut received = String::new();
    carrier.read_to_string(&mut received).await?;
    Ok(received)
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> io::Result<()> {
    let (session, carrier) = cancelled().await;
    let ends = tokio::try_join!(session.close(), receive(carrier));
    let ((), received) = ends?;
    println!("it sends QUIT: {received:?}");
    assert_eq!(received, "TRACK paQUIT\n");

    let (session, carrier) = cancelled().await;
    let ends = tokio::try_join!(session.close_or_drop(), receive(carrier));
    let ((), received) = ends?;
    println!("it sends nothing: {received:?}");
    assert_eq!(received, "TRACK pa");

    // After a whole request, it says goodbye.
    let (stream, carrier) = duplex(80);
    let mut session = Session { stream, in_request: false };
    session.send("TRACK parcel 7\n").await?;
    session.close_or_drop().await?;
    assert_eq!(receive(carrier).await?, "TRACK parcel 7\nQUIT\n");
    Ok(())
}
// ANCHOR_END: all
