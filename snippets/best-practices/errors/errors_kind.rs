// ANCHOR: all
use std::io::{self, ErrorKind};

use tokio::net::{TcpListener, TcpStream};

#[derive(Debug, thiserror::Error)]
#[error("the depot cannot be reached")]
struct Unreachable(#[source] io::Error);

// ANCHOR: broken
// Broken: a name that is not found has no kind of its own.
fn is_unreachable(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionRefused
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::TimedOut
    )
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: the step that failed says it, whatever the kind.
async fn call(depot: &str) -> Result<TcpStream, Unreachable> {
    TcpStream::connect(depot).await.map_err(Unreachable)
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let closed = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    let misspelt = "depot.example :4000"; // a blank in the settings

    let Unreachable(error) = call(&closed.to_string()).await.unwrap_err();
    println!("closed: {}", error.kind());
    assert!(is_unreachable(&error));

    let Unreachable(error) = call(misspelt).await.unwrap_err();
    println!("misspelt: {}", error.kind());
    assert!(!is_unreachable(&error));
    Ok(())
}
// ANCHOR_END: all
