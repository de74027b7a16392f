use std::fs;
use std::net::TcpListener as StdListener;
use std::os::unix::net::UnixDatagram;

use tokio::io::unix::AsyncFd;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::try_join;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: unix
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("parcels.sock");
    let listener = UnixListener::bind(&path)?;
    try_join!(listener.accept(), UnixStream::connect(&path))?;
    drop(listener);
    assert!(path.exists(), "the file is left");
    assert!(UnixListener::bind(&path).is_err());
    fs::remove_file(&path)?;
    UnixListener::bind(&path)?;
    println!("UnixListener: remove the old file before bind");
    // ANCHOR_END: unix

    // ANCHOR: std
    let listener = StdListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let address = listener.local_addr()?;
    try_join!(listener.accept(), TcpStream::connect(address))?;
    println!("from_std: a non-blocking socket of std");
    // ANCHOR_END: std

    // ANCHOR: ready
    let (tx, rx) = UnixDatagram::pair()?;
    rx.set_nonblocking(true)?;
    // SAFETY: `rx` owns an open socket, and is not replaced.
    let rx = unsafe { AsyncFd::register(rx)? };
    let receive = async {
        let mut event = [0; 8];
        loop {
            let mut ready = rx.readable().await?;
            // Clears the readiness if the call would block.
            match ready.try_io(|rx| rx.get_ref().recv(&mut event)) {
                Ok(length) => return length,
                Err(_would_block) => continue,
            }
        }
    };
    let (length, _) = try_join!(receive, async { tx.send(b"parcel 7") })?;
    println!("AsyncFd: {length} bytes");
    // ANCHOR_END: ready
    Ok(())
}
